// Follows what happens. An element with data-live="all", "dag:ID" or "run:KEY" is fetched again when that has changed:
// from data-src, or from the page's own address, where the element of the same id takes its place.
import { fetchFragment } from "./fragments.js";
import { morph } from "./morph.js";
import { showTimes } from "./times.js";

const POLL = 2000;
const AT_LEAST = 20000; // what does not tell of itself, such as the life of the scheduler
let position = null;
let shownAt = Date.now();
let busy = false;

const sign = () => document.querySelector("#live");

function tell(state) {
  const shown = sign();
  if (shown) shown.dataset.state = state;
}

function wanted() {
  return [...document.querySelectorAll("[data-live]")].filter((element) => !element.closest("dialog:not([open])"));
}

export async function refresh() {
  if (busy) return;
  busy = true;
  const sources = Map.groupBy(wanted(), (element) => element.dataset.src ?? location.pathname + location.search);
  try {
    await Promise.all([...sources].map(([source, elements]) => renew(source, elements)));
    shownAt = Date.now();
  } finally {
    busy = false;
  }
}

async function renew(source, elements) {
  const fresh = await fetchFragment(source);
  for (const element of elements) {
    const found = fresh.getElementById(element.id);
    if (found) morph(element, document.importNode(found, true));
  }
  for (const element of elements) showTimes(element);
  document.dispatchEvent(new CustomEvent("renewed", { detail: { source } }));
}

async function look() {
  const answer = await fetch("/live/position", { credentials: "same-origin", headers: { "x-fragment": "1" } });
  if (answer.status === 401) location.reload();
  if (!answer.ok) throw new Error(answer.statusText);
  const now = (await answer.json()).position;
  const isNews = position !== null && now !== position;
  position = now;
  tell(isNews ? "news" : "on");
  if (isNews || Date.now() - shownAt > AT_LEAST) await refresh();
}

async function follow() {
  if (!document.hidden) {
    try {
      await look();
    } catch {
      tell("off");
    }
  }
  setTimeout(follow, POLL);
}

export function startLive() {
  follow();
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) look().catch(() => tell("off"));
  });
}
