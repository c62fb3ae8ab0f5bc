// A link with data-dialog opens its page in the dialog; without scripts it is a page like any other.
import { fetchFragment } from "./fragments.js";
import { say } from "./toasts.js";

async function open(url) {
  const dialog = document.querySelector("#dialog");
  const fresh = await fetchFragment(url);
  document.querySelector("#dialog-title").textContent = fresh.title;
  document.querySelector("#dialog-body").replaceChildren(...[...fresh.body.childNodes].map((node) => document.importNode(node, true)));
  dialog.showModal();
  dialog.querySelector(".dialog-body :is(input:not([type=hidden]), select, textarea)")?.focus();
  document.dispatchEvent(new CustomEvent("opened", { detail: { dialog } }));
}

export function startDialog() {
  // What was shown in it is gone once it is closed: it may have been a secret.
  document.querySelector("#dialog")?.addEventListener("close", () => document.querySelector("#dialog-body").replaceChildren());
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
      event.preventDefault();
      open(link.href).catch((error) => say(error.message, true));
    }
    if (event.target.closest("[data-close]") || event.target.matches("dialog")) event.target.closest("dialog")?.close();
  });
}
