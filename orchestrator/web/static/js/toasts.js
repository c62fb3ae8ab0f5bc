// A sentence at the edge of the page, for as long as it takes to read it.
const LEAST = 4000;
const PER_CHARACTER = 60;

export function say(text, bad = false) {
  const toast = document.createElement("div");
  toast.className = bad ? "toast bad" : "toast";
  toast.textContent = text;
  document.querySelector("#toasts")?.append(toast);
  setTimeout(() => toast.remove(), LEAST + text.length * PER_CHARACTER);
}
