// A form with data-filters="ID" shows what it finds as it is filled in: the element of that id is renewed, and the
// address with it, so that the page can be kept, shared and renewed. With data-late that is not there at first, and is
// asked for by preview=1.
import { fetchFragment } from "./fragments.js";
import { morph } from "./morph.js";
import { showTimes } from "./times.js";
import { say } from "./toasts.js";

const WAIT = 180;
let timer = null;
let latest = 0;

function address(form) {
  const given = [...new FormData(form)].filter(([, value]) => value !== "");
  const text = new URLSearchParams(given).toString();
  return form.getAttribute("action") + (text ? `?${text}` : "");
}

async function find(form) {
  const number = ++latest;
  const path = address(form);
  const whole = form.hasAttribute("data-late") ? `${path.includes("?") ? "&" : "?"}preview=1` : "";
  const fresh = await fetchFragment(path + whole);
  if (number !== latest) return;
  if (!form.closest("dialog")) history.replaceState(null, "", path);
  const shown = document.getElementById(form.dataset.filters);
  morph(shown, document.importNode(fresh.getElementById(form.dataset.filters), true));
  showTimes(shown);
}

function findLate(root) {
  for (const form of root.querySelectorAll("form[data-filters][data-late]")) find(form).catch((error) => say(error.message, true));
}

export function startFilters() {
  findLate(document);
  document.addEventListener("opened", (event) => findLate(event.detail.dialog));
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-filters]");
    if (!form) return;
    clearTimeout(timer);
    timer = setTimeout(() => find(form).catch((error) => say(error.message, true)), WAIT);
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-filters]:not([data-sends])")) return;
    event.preventDefault();
    clearTimeout(timer);
    find(event.target).catch((error) => say(error.message, true));
  });
}
