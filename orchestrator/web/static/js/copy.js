// A button with data-copy="ID" copies the text of that element; where the browser does not let it, it selects it.
import { say } from "./toasts.js";

async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    say("Copied.");
  } catch {
    getSelection().selectAllChildren(element);
    say("It is selected; press Ctrl+C.");
  }
}

export function startCopying() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-copy]");
    if (button) copy(document.getElementById(button.dataset.copy));
  });
}
