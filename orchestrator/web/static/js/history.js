// The strip of a whole history, blue above for what was decided, red below for what happened, and the handle that goes
// through it: the run is shown as it was there.
import { ask, fetchFragment } from "./fragments.js";
import { make } from "./graph_parts.js";
import { morph } from "./morph.js";
import { showTimes } from "./times.js";
import { say } from "./toasts.js";

const HEIGHT = 36;
const STEP = 450; // milliseconds from fact to fact while it plays
const LONGEST = 60; // steps, however long the history is

const scrubber = document.querySelector("#scrubber");
const svg = scrubber.querySelector(".scrub-strip");
const handle = scrubber.querySelector("#scrub");
const said = scrubber.querySelector("output");
const play = scrubber.querySelector("#scrub-play");
let tag = null;
let wanted = null; // the fact that is asked for
let busy = false;
let playing = null;

async function load() {
  const answer = await ask(scrubber.dataset.json, tag ? { headers: { "if-none-match": tag } } : {});
  if (answer.status === 304) return;
  tag = answer.headers.get("etag");
  draw(await answer.json());
}

function draw({ last, parts }) {
  const atEnd = handle.value === handle.max && !new URLSearchParams(location.search).has("at");
  handle.max = last;
  if (atEnd) handle.value = last;
  tell();
  svg.setAttribute("viewBox", `0 0 ${parts.length} ${HEIGHT}`);
  const most = Math.log1p(Math.max(1, ...parts.flatMap(([commands, events]) => [commands, events])));
  const bar = (x, count, isEvent, failed) => {
    if (!count) return [];
    const height = (Math.log1p(count) / most) * (HEIGHT / 2 - 1);
    const y = isEvent ? HEIGHT / 2 + 1 : HEIGHT / 2 - 1 - height;
    return [make("rect", { x: x + 0.08, y, width: 0.84, height, class: isEvent ? "state-event" : "state-command", "data-failed": failed > 0 })];
  };
  svg.replaceChildren(...parts.flatMap(([commands, events, failed], x) => [...bar(x, commands, false, 0), ...bar(x, events, true, failed)]));
}

const tell = () => (said.textContent = `${handle.value} / ${handle.max}`);

// The newest wish counts: what was wished for while something was on its way is asked for next.
async function show(seq) {
  wanted = seq;
  if (busy) return;
  busy = true;
  try {
    while (wanted !== null) {
      const path = `${scrubber.dataset.path}?at=${wanted}`;
      wanted = null;
      const fresh = await fetchFragment(path);
      const found = fresh.querySelector("#run-history");
      history.replaceState(null, "", path);
      const shown = document.querySelector("#run-history");
      morph(shown, document.importNode(found, true));
      showTimes(shown);
      shown.querySelector(".strip [aria-current]")?.scrollIntoView({ block: "nearest" });
    }
  } finally {
    busy = false;
  }
}

function go(seq) {
  handle.value = seq;
  tell();
  return show(Number(handle.value)).catch((error) => say(error.message, true));
}

function stop() {
  clearTimeout(playing);
  playing = null;
  play.setAttribute("aria-label", "Play");
  play.setAttribute("aria-pressed", "false");
}

async function step(by) {
  if (Number(handle.value) >= Number(handle.max)) return stop();
  await go(Number(handle.value) + by);
  if (playing !== null) playing = setTimeout(() => step(by), STEP);
}

play.addEventListener("click", () => {
  if (playing !== null) return stop();
  play.setAttribute("aria-label", "Stop");
  play.setAttribute("aria-pressed", "true");
  if (handle.value === handle.max) handle.value = 0;
  playing = setTimeout(() => step(Math.max(1, Math.round(handle.max / LONGEST))), 0);
});
handle.addEventListener("input", () => (stop(), go(handle.value)));
// What leads to another fact moves the handle, and loads no new page.
document.addEventListener("click", (event) => {
  const link = event.target.closest("#run-history a");
  const at = link && new URL(link.href).searchParams.get("at");
  if (!at || event.metaKey || event.ctrlKey || event.shiftKey || !link.pathname.endsWith("/history")) return;
  event.preventDefault();
  stop();
  go(at);
});
scrubber.addEventListener("stale", () => load().catch(() => {}));
load().catch((error) => say(error.message, true));
