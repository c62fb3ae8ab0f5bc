// A file that is chosen in <input type="file" data-fills="ID"> fills the text of that id, which is what is sent.
import { say } from "./toasts.js";

const MOST = 3 * 1024 * 1024;

export function startFiles() {
  document.addEventListener("change", async (event) => {
    const input = event.target.closest("input[type=file][data-fills]");
    const file = input?.files[0];
    if (!file) return;
    if (file.size > MOST) return say(`${file.name} is longer than 3 MB; split it.`, true);
    document.getElementById(input.dataset.fills).value = await file.text();
  });
}
