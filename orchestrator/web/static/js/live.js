// Follows what happens. An element with an id and data-live="all", "dag:ID" or "run:KEY" is fetched again when that has
// changed: from data-src, or from the page's own address, where the element of the same id takes its place. With
// data-late it is not there at first; with data-slow it takes long to make, and is asked for only where there is news.
import { ask, fetchFragment } from "./fragments.js";
import { morph } from "./morph.js";
import { showTimes } from "./times.js";

const POLL = 2000;
const SOON = 120;
const AT_LEAST = 20000; // for what does not tell of itself, such as the life of the scheduler

const due = new Set(); // the ids of what has to be renewed
let planned = null;
let busy = false;
let shownAt = Date.now();
let lasted = 0;
let stream = null;
let position = null;
let heard = document.body.dataset.since; // until when everything is known: what came after is told first

function tell(state) {
  const sign = document.querySelector("#live");
  if (sign) sign.dataset.state = state;
}

function followers() {
  return [...document.querySelectorAll("[data-live][id]")].filter((one) => !one.closest("dialog:not([open])"));
}

// What a script draws is renewed by that script.
const isOwn = (element) => element.dataset.own !== undefined;

function concerns(element, news) {
  const words = element.dataset.live.split(" ");
  return words.includes("all") || words.includes(`dag:${news.dag_id}`) || words.includes(`run:${news.run_key}`);
}

// Renews what is due, or everything. Resolves when it is shown.
export async function refresh() {
  for (const element of followers()) due.add(element.id);
  await renewDue();
}

async function renewDue() {
  if (busy) return;
  const elements = followers().filter((element) => due.has(element.id));
  due.clear();
  if (!elements.length) return;
  const began = Date.now();
  busy = true;
  try {
    for (const element of elements) if (isOwn(element)) element.dispatchEvent(new Event("stale"));
    const sources = Map.groupBy(elements.filter((element) => !isOwn(element)), (element) => element.dataset.src ?? location.pathname + location.search);
    await Promise.all([...sources].map(([source, some]) => renew(source, some)));
  } finally {
    busy = false;
    shownAt = Date.now();
    lasted = shownAt - began;
    if (due.size) plan();
  }
}

async function renew(source, elements) {
  const fresh = await fetchFragment(source);
  for (const element of elements) {
    const found = fresh.getElementById(element.id);
    if (found && element.isConnected) morph(element, document.importNode(found, true));
    showTimes(element);
  }
  document.dispatchEvent(new CustomEvent("renewed", { detail: { source } }));
}

// Soon: a burst of changes is one renewal, and what takes long to make is asked for less often.
function plan() {
  planned ??= setTimeout(() => {
    planned = null;
    renewDue().then(() => tell("on"), () => tell("off"));
  }, Math.max(SOON, shownAt + 2 * lasted - Date.now()));
}

function hear(news, also = () => true) {
  const touched = followers().filter((element) => (news === null ? also(element) : concerns(element, news)));
  if (!touched.length) return;
  for (const element of touched) due.add(element.id);
  tell("news");
  plan();
}

function listen() {
  const opened = new EventSource(`/api/v2/events?${new URLSearchParams({ since: heard })}`);
  opened.addEventListener("hello", () => tell("on"));
  opened.addEventListener("change", (event) => {
    heard = event.lastEventId;
    hear(JSON.parse(event.data));
  });
  opened.addEventListener("reset", (event) => {
    heard = event.lastEventId;
    hear(null);
  });
  opened.addEventListener("error", () => {
    tell("off");
    if (opened.readyState === EventSource.CLOSED) poll();
  });
  return opened;
}

// Where there is no stream, or no longer: asks every now and then; who is signed out is sent to sign in.
async function poll() {
  stream?.close();
  if (!document.hidden) {
    try {
      const now = (await (await ask("/live/position")).json()).position;
      tell("on");
      if (now !== position) hear(null);
      position = now;
    } catch {
      tell("off");
    }
  }
  setTimeout(poll, POLL);
}

export function startLive() {
  stream = listen();
  for (const element of followers()) if (element.dataset.late !== undefined) due.add(element.id); // not there so far
  if (due.size) plan();
  setInterval(() => {
    if (!document.hidden && Date.now() - shownAt > AT_LEAST) hear(null, (element) => element.dataset.slow === undefined);
  }, AT_LEAST / 4);
  // A hidden page needs no connection, of which a browser has six for all pages of a server.
  document.addEventListener("visibilitychange", () => {
    if (position !== null) return;
    stream.close();
    if (document.hidden) return;
    stream = listen();
    hear(null);
  });
}
