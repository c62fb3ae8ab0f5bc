// The graph of a DAG, with the states of one of its runs. Only what is in sight is drawn, so that thousands of tasks
// move as ten do. Arrow keys go along the edges, Enter opens a task, + and - change the size, 0 shows all.
import { ask } from "./fragments.js";
import { curve, extent, make, makeBox, makeCard, makeEdge, showShares } from "./graph_parts.js";
import { PanZoom } from "./pan_zoom.js";
import { showTip } from "./tips.js";
import { say } from "./toasts.js";

const FAR = 0.35; // below this size, words are not readable
const READABLE = 0.45; // a graph is not made smaller than this by itself
const GRAVEST = ["failed", "upstream_failed", "awaiting_input", "up_for_retry", "restarting", "running",
  "up_for_reschedule", "deferred", "queued", "scheduled", "none", "removed", "skipped", "success"];
const gravity = (state) => GRAVEST.indexOf(state);

const graph = document.querySelector("#graph");
const svg = graph.querySelector("svg");
const [boxes, edges, cards] = ["boxes", "edges", "cards"].map((name) => svg.querySelector(`.graph-${name}`));
const store = `graph folded ${graph.dataset.dag}`;
const view = new PanZoom(svg, svg.querySelector(".graph-layer"), draw);
const drawn = new Map(); // the elements that are there, by what they show
let data = null;
let states = null;
let statesTag = null;
let folded = null; // the ids of the groups that are folded
let isFar = null;
let here = 0; // the card where the keyboard is
let wanted = "";
let lit = null; // the cards before and after the one that is looked at

const words = (state) => state.replaceAll("_", " ");

// A group is as its gravest task; where nothing is recorded, the task has not begun.
function countsOf(card) {
  const counts = {};
  for (const task of card.tasks ?? [card.id]) {
    for (const [state, count] of Object.entries(states?.tasks[task] ?? { none: 1 })) counts[state] = (counts[state] ?? 0) + count;
  }
  return Object.fromEntries(Object.entries(counts).sort(([one], [other]) => gravity(one) - gravity(other)));
}

function pathOf(card) {
  const task = encodeURIComponent(card.id);
  return states?.path ? `${states.path}/tasks/${task}` : `${graph.dataset.path}/tasks/${task}`;
}

function paint(link, card) {
  const counts = countsOf(card);
  const state = Object.keys(counts)[0] ?? "none";
  const said = Object.entries(counts).map(([word, count]) => (Object.keys(counts).length > 1 || count > 1 ? `${count} ${words(word)}` : words(word)));
  card.said = states?.run_id ? said.join(", ") : "";
  link.setAttribute("class", `card state-${states?.run_id ? state : "none"}`);
  link.classList.toggle("is-off", (lit !== null && !lit.has(card.place)) || (wanted !== "" && !matches(card)));
  link.classList.toggle("is-group", Boolean(card.tasks));
  link.setAttribute("tabindex", card.place === here ? 0 : -1);
  link.setAttribute("aria-label", [card.id, card.tasks ? `group of ${card.tasks.length} tasks, folded` : "", card.said, after(card)].filter(Boolean).join(", "));
  if (card.tasks) link.setAttribute("role", "button");
  else link.setAttribute("href", pathOf(card));
  showShares(link, card, states?.run_id ? counts : {});
}

function after(card) {
  return card.before?.length ? `after ${card.before.slice(0, 5).map((place) => data.cards[place].id).join(", ")}` : "";
}

const meets = (one, seen) => one.left < seen.right && one.right > seen.left && one.top < seen.bottom && one.bottom > seen.top;
const matches = (card) => card.id.toLowerCase().includes(wanted);

// Puts what is in sight into a layer, and takes the rest away.
function keep(layer, kind, all, seen, made) {
  all.forEach((one, place) => {
    const key = `${kind} ${place}`;
    const isThere = drawn.has(key);
    if (meets(one.extent, seen) === isThere) return;
    if (isThere) {
      if (drawn.get(key).contains(document.activeElement)) return;
      drawn.get(key).remove();
      drawn.delete(key);
      return;
    }
    const element = made(one);
    drawn.set(key, element);
    layer.append(element);
  });
}

function draw() {
  if (!data) return;
  if (isFar !== view.scale < FAR) clear();
  const seen = view.seen;
  const margin = 100 / view.scale;
  const beyond = { left: seen.left - margin, right: seen.right + margin, top: seen.top - margin, bottom: seen.bottom + margin };
  keep(boxes, "box", data.boxes, beyond, makeBox);
  if (!isFar) keep(edges, "edge", data.edges, beyond, makeEdge);
  keep(cards, "card", data.cards, beyond, (card) => {
    const link = makeCard(card, isFar);
    paint(link, card);
    return link;
  });
  light();
}

function clear() {
  isFar = view.scale < FAR;
  drawn.clear();
  for (const layer of [boxes, edges, cards]) layer.replaceChildren();
  svg.classList.toggle("is-far", isFar);
  if (isFar) edges.append(make("path", { class: "edges-far", d: data.edges.map((edge) => curve(edge.way)).join("") }));
}

function paintAll() {
  for (const [key, element] of drawn) if (key.startsWith("card ")) paint(element, data.cards[key.slice(5)]);
  light();
}

function light() {
  for (const [key, element] of drawn) {
    if (!key.startsWith("edge ")) continue;
    const { before, after: to } = data.edges[key.slice(5)];
    element.classList.toggle("is-lit", lit !== null && lit.has(before) && lit.has(to));
    element.classList.toggle("is-off", lit !== null && !(lit.has(before) && lit.has(to)));
  }
}

// Everything before and after a card.
function lineage(place) {
  const found = new Set([place]);
  for (const beside of [data.cards.map((card) => card.before ?? []), data.following]) {
    const left = [place];
    while (left.length) {
      for (const next of beside[left.pop()]) {
        if (!found.has(next)) left.push(next);
        found.add(next);
      }
    }
  }
  return found;
}

function lookAt(place) {
  if (place === null ? lit === null : lit?.looked === place) return;
  lit = place === null ? null : lineage(place);
  if (lit) lit.looked = place;
  paintAll();
}

function understand(found) {
  data = found;
  data.following = data.cards.map(() => []);
  data.cards.forEach((card, place) => {
    card.place = place;
    card.extent = { left: card.x, right: card.x + card.width + 8, top: card.y, bottom: card.y + card.height + 8 };
    for (const up of card.before ?? []) data.following[up].push(place);
  });
  for (const box of data.boxes) box.extent = { left: box.x, right: box.x + box.width, top: box.y, bottom: box.y + box.height };
  for (const edge of data.edges) edge.extent = extent(edge.way);
  here = Math.min(here, Math.max(0, data.cards.length - 1));
  view.size(data.width, data.height);
  graph.style.height = `${Math.max(288, Math.min(innerHeight * 0.7, data.height + 96))}px`;
}

function source() {
  const query = new URLSearchParams();
  if (folded === null) {
    if (graph.dataset.fold !== undefined) query.append("fold", "*");
  } else if (data && folded.size * 2 > data.groups.length) {
    query.append("fold", "*");
    for (const id of data.groups) if (!folded.has(id)) query.append("unfold", id);
  } else {
    for (const id of folded) query.append("fold", id);
  }
  return `${graph.dataset.source}&${query}`;
}

async function load() {
  const [drawing] = await Promise.all([ask(source()).then((answer) => answer.json()), loadStates()]);
  folded ??= new Set(graph.dataset.fold === undefined ? [] : drawing.groups);
  understand(drawing);
  isFar = null;
  graph.querySelector(".loading")?.remove();
  document.querySelector("#graph-fold").hidden = !data.groups.length;
  document.querySelector("#graph-fold").textContent = folded.size < data.groups.length ? "Fold all" : "Unfold all";
}

async function loadStates() {
  const answer = await ask(graph.dataset.states, statesTag ? { headers: { "if-none-match": statesTag } } : {});
  if (answer.status === 304) return;
  statesTag = answer.headers.get("etag");
  states = await answer.json();
  const run = document.querySelector("#graph-run");
  if (!run) return;
  run.hidden = !states.run_id;
  run.querySelector("a").textContent = states.run_id;
  run.querySelector("a").href = `${states.path}/graph`;
}

// Folds or unfolds, and keeps what was pressed where it was.
async function fold(change, id) {
  change();
  localStorage.setItem(store, JSON.stringify([...folded]));
  await load();
  const shown = [...data.cards, ...data.boxes].find((one) => one.id === id);
  draw();
  if (!shown) return view.fit(READABLE);
  if (shown.place !== undefined) here = shown.place;
  view.show({ x: shown.x, y: shown.y, width: Math.min(shown.width, 200), height: 40 });
  requestAnimationFrame(() => focusOn(id));
}

function focusOn(id) {
  draw();
  (cards.querySelector(`[data-place="${here}"]`) ?? boxes.querySelector(`[data-fold="${CSS.escape(id)}"]`))?.focus({ preventScroll: true });
}

const toggle = (id) => fold(() => (folded.has(id) ? folded.delete(id) : folded.add(id)), id);

function goTo(place) {
  if (place === undefined) return;
  here = place;
  view.show(data.cards[place]);
  draw();
  cards.querySelector(`[data-place="${place}"]`)?.focus({ preventScroll: true });
  paintAll();
}

// The next card above or below, of those in the same column.
function beside(card, step) {
  const near = data.cards.filter((one) => Math.abs(one.x - card.x) < 40 && Math.sign(one.y - card.y) === step);
  return near.sort((one, other) => Math.abs(one.y - card.y) - Math.abs(other.y - card.y))[0]?.place;
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !data) return;
  const link = event.target.closest(".card");
  const card = link && data.cards[link.dataset.place];
  const moves = card && {
    ArrowRight: () => goTo(data.following[card.place][0]),
    ArrowLeft: () => goTo(card.before?.[0]),
    ArrowUp: () => goTo(beside(card, -1)),
    ArrowDown: () => goTo(beside(card, 1)),
  };
  const shifts = { ArrowRight: [-80, 0], ArrowLeft: [80, 0], ArrowUp: [0, 80], ArrowDown: [0, -80] };
  const sizes = { "+": () => view.zoom(1), "=": () => view.zoom(1), "-": () => view.zoom(-1), 0: () => view.fit() };
  const act = moves?.[event.key] ?? sizes[event.key] ?? (shifts[event.key] && (() => view.pan(...shifts[event.key])));
  const folds = event.target.closest("[data-fold]")?.dataset.fold ?? (card?.tasks && card.id);
  if (folds && (event.key === "Enter" || event.key === " ")) toggle(folds);
  else if (act) act();
  else return;
  event.preventDefault();
}

function tell(place) {
  const card = data.cards[place];
  return [card.id, card.operator, card.said, ...(card.marks ?? []), card.about].filter(Boolean).join("\n");
}

function look(event) {
  const link = event.target.closest(".card");
  lookAt(link ? Number(link.dataset.place) : null);
  showTip(link, link ? tell(link.dataset.place) : "");
}

function find(event) {
  wanted = event.target.value.trim().toLowerCase();
  paintAll();
}

function findNext(event) {
  if (event.key !== "Enter" || !wanted) return;
  const places = data.cards.filter(matches).map((card) => card.place);
  const next = places.find((place) => place > here) ?? places[0];
  if (next === undefined) return;
  here = next;
  view.show(data.cards[next], Math.max(view.scale, 0.8));
  draw();
  paintAll();
}

svg.addEventListener("click", (event) => {
  const id = event.target.closest("[data-fold]")?.dataset.fold ?? data?.cards[event.target.closest(".card.is-group")?.dataset.place]?.id;
  if (id) toggle(id);
});
svg.addEventListener("keydown", press);
for (const kind of ["pointerover", "focusin"]) svg.addEventListener(kind, look);
svg.addEventListener("pointerleave", () => (lookAt(null), showTip(null, "")));
graph.addEventListener("stale", () => loadStates().then(paintAll, () => {}));
document.querySelector("#graph-find").addEventListener("input", find);
document.querySelector("#graph-find").addEventListener("keydown", findNext);
for (const button of document.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => (button.dataset.zoom === "0" ? view.fit() : view.zoom(Number(button.dataset.zoom))));
}
document.querySelector("#graph-fold").addEventListener("click", () => {
  const isOpen = folded.size < data.groups.length;
  fold(() => (folded = new Set(isOpen ? data.groups : [])), "");
});
const kept = localStorage.getItem(store);
if (kept) folded = new Set(JSON.parse(kept));
load().then(() => view.fit(READABLE), (error) => say(error.message, true));
