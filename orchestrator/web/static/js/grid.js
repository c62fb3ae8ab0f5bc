// The grid of a DAG: runs beside each other, tasks below each other. Only the rows that are seen are drawn, so that a
// thousand tasks scroll as ten do. Arrow keys go from cell to cell, Enter opens one.
import { ask } from "./fragments.js";
import { showTip as showText } from "./tips.js";
import { say } from "./toasts.js";

const ROW = 24;
const BEYOND = 12; // rows drawn above and below what is seen
const FOLD_FROM = 200;
const GRAVEST = ["failed", "upstream_failed", "awaiting_input", "up_for_retry", "restarting", "running",
  "up_for_reschedule", "deferred", "queued", "scheduled", "none", "removed", "skipped", "success"];
const gravity = new Map(GRAVEST.map((state, place) => [state, place]));

const grid = document.querySelector("#grid");
const store = `folded ${grid.dataset.dag}`;
let data = null;
let tag = null;
let folded = null;
let shown = []; // the places of the rows that are not folded away
let wanted = "";
let here = { row: 0, column: 0 };
let body = null;
const drawn = new Map(); // the lines that are there, by where they stand

const make = (name, className, text) => {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

const stateOf = (place, column) => data.states[parseInt(data.cells[column].states[place], 16)];

// A group is as its gravest task; one of which nothing has begun is none, whatever else.
function gather() {
  data.below = data.rows.map(() => []);
  data.rows.forEach((row, place) => {
    if (row.is_group) return;
    for (let up = row.parent ?? -1; up >= 0; up = data.rows[up].parent ?? -1) data.below[up].push(place);
  });
  data.ofGroup = new Map();
}

function groupState(place, column) {
  const key = place * 1000 + column;
  if (!data.ofGroup.has(key)) {
    const states = data.below[place].map((task) => stateOf(task, column));
    const least = Math.min(...states.map((state) => gravity.get(state)));
    data.ofGroup.set(key, GRAVEST[least] ?? "none");
  }
  return data.ofGroup.get(key);
}

const stateAt = (place, column) => (data.rows[place].is_group ? groupState(place, column) : stateOf(place, column));

function isHidden(row) {
  for (let up = row.parent ?? -1; up >= 0; up = data.rows[up].parent ?? -1) {
    if (folded.has(data.rows[up].id)) return true;
  }
  return false;
}

function layOut() {
  const all = data.rows.map((row, place) => ({ row, place }));
  const word = wanted.toLowerCase();
  shown = all
    .filter(({ row }) => (word ? !row.is_group && row.id.toLowerCase().includes(word) : !isHidden(row)))
    .map(({ place }) => place);
  here.row = Math.min(here.row, Math.max(0, shown.length - 1));
  drawn.clear();
  body.replaceChildren();
  body.style.height = `${shown.length * ROW}px`;
  grid.setAttribute("aria-rowcount", shown.length + 1);
}

function drawHead() {
  const head = make("div", "grid-head");
  head.setAttribute("role", "row");
  const corner = make("div", "grid-corner", `${data.rows.filter((row) => !row.is_group).length} tasks`);
  corner.setAttribute("role", "columnheader");
  const columns = make("div", "grid-columns");
  columns.setAttribute("role", "presentation");
  data.columns.forEach((column) => {
    const link = make("a", `grid-run state-${column.state}`);
    link.href = column.path;
    link.dataset.size = column.size;
    link.dataset.type = column.run_id.split("__")[0];
    link.dataset.tip = `${column.run_id}\n${column.title}`;
    link.setAttribute("role", "columnheader");
    link.setAttribute("aria-label", `${column.run_id}: ${column.title}`);
    columns.append(link);
  });
  head.append(corner, columns);
  return head;
}

// Of how many instances a mapped task was, in the newest run that has some.
function mappedCount(place) {
  const counts = data.cells.findLast((cells) => cells.counts?.[place])?.counts[place];
  return `× ${counts ? Object.values(counts).reduce((sum, count) => sum + count, 0) : "?"}`;
}

function drawName(row, place) {
  const name = make("div", "grid-name");
  name.setAttribute("role", "rowheader");
  name.dataset.depth = Math.min(row.depth ?? 0, 7);
  if (wanted) name.dataset.depth = 0;
  if (row.is_group) {
    const fold = make("button");
    fold.type = "button";
    fold.tabIndex = -1;
    fold.dataset.fold = row.id;
    fold.setAttribute("aria-expanded", String(!folded.has(row.id)));
    fold.setAttribute("aria-label", `Fold ${row.id}`);
    fold.textContent = "▸";
    name.append(fold);
  }
  const label = make(row.is_group ? "span" : "a", "", wanted ? row.id : row.label);
  if (!row.is_group) {
    label.href = `${location.pathname}/tasks/${encodeURIComponent(row.id)}`;
    label.tabIndex = -1;
  }
  name.title = row.about ? `${row.id} · ${row.about}` : row.id;
  name.append(label);
  if (row.is_group) name.append(make("span", "count", String(data.below[place].length)));
  else if (row.is_mapped) name.append(make("span", "count", mappedCount(place)));
  return name;
}

function drawRow(at) {
  const place = shown[at];
  const row = data.rows[place];
  const line = make("div", row.is_group ? "grid-row is-group" : "grid-row");
  line.setAttribute("role", "row");
  line.setAttribute("aria-rowindex", at + 2);
  line.style.transform = `translateY(${at * ROW}px)`;
  const cells = make("div", "grid-cells");
  cells.setAttribute("role", "presentation");
  data.columns.forEach((column, number) => {
    const state = stateAt(place, number);
    const cell = make("a", `grid-cell state-${state}`);
    cell.tabIndex = -1;
    cell.href = row.is_group ? column.path : `${column.path}/tasks/${encodeURIComponent(row.id)}${row.is_mapped ? "/instances" : ""}`;
    cell.dataset.row = at;
    cell.dataset.column = number;
    cell.setAttribute("role", "gridcell");
    cell.setAttribute("aria-label", `${row.id}: ${state.replaceAll("_", " ")}`);
    cells.append(cell);
  });
  line.append(drawName(row, place), cells);
  return line;
}

function draw() {
  if (!body) return;
  const first = Math.max(0, Math.floor((grid.scrollTop - 68) / ROW) - BEYOND);
  const last = Math.min(shown.length, Math.ceil((grid.scrollTop + grid.clientHeight) / ROW) + BEYOND);
  for (const [at, line] of drawn) {
    if (at >= first && at < last) continue;
    line.remove();
    drawn.delete(at);
  }
  const lines = [];
  for (let at = first; at < last; at++) {
    if (drawn.has(at)) continue;
    drawn.set(at, drawRow(at));
    lines.push(drawn.get(at));
  }
  body.append(...lines);
  mark();
}

// Shows where the keyboard is.
function mark() {
  grid.querySelector(".is-here")?.classList.remove("is-here");
  if (document.activeElement !== grid) return;
  drawn.get(here.row)?.querySelectorAll(".grid-cell")[here.column]?.classList.add("is-here");
}

function drawAll() {
  const { scrollTop, scrollLeft } = grid;
  const isFirst = body === null;
  body = make("div", "grid-body");
  body.setAttribute("role", "rowgroup");
  layOut();
  if (!data.columns.length) {
    const nothing = make("div", "empty");
    nothing.append(make("p", "empty-title", "No runs yet"), make("p", "", "The first run stands here as soon as it is asked for."));
    grid.replaceChildren(nothing);
    body = null;
    return;
  }
  grid.replaceChildren(drawHead(), body);
  grid.scrollTop = scrollTop;
  grid.scrollLeft = isFirst ? grid.scrollWidth : scrollLeft;
  if (isFirst) here.column = data.columns.length - 1;
  here.column = Math.min(here.column, data.columns.length - 1);
  draw();
  showOlder();
}

function showOlder() {
  const link = document.querySelector("#grid-older");
  link.hidden = data.older === null;
  if (data.older === null) return;
  const query = new URLSearchParams({ count: String(document.querySelector("#grid-count").value), before: data.older });
  link.href = `${link.dataset.path}?${query}`;
}

function tell(target) {
  const { row: at, column } = target.dataset;
  if (at === undefined) return target.dataset.tip ?? "";
  const place = shown[at];
  const row = data.rows[place];
  const cells = data.cells[column];
  const lines = [row.id, stateAt(place, column).replaceAll("_", " ")];
  const counts = cells.counts?.[place];
  if (counts) lines.push(Object.entries(counts).map(([state, count]) => `${count} ${state.replaceAll("_", " ")}`).join(", "));
  const seconds = cells.seconds?.[place];
  if (seconds !== undefined) lines.push(`${seconds} s`);
  lines.push(data.columns[column].run_id);
  return lines.join("\n");
}

function showTip(target) {
  const text = target ? tell(target) : "";
  showText(target, text);
}

function fold(id) {
  if (folded.has(id)) folded.delete(id);
  else folded.add(id);
  localStorage.setItem(store, JSON.stringify([...folded]));
  layOut();
  draw();
}

function foldAll() {
  const groups = data.rows.filter((row) => row.is_group).map((row) => row.id);
  const isOpen = groups.some((id) => !folded.has(id));
  folded = new Set(isOpen ? groups : []);
  localStorage.setItem(store, JSON.stringify([...folded]));
  showFoldAll();
  layOut();
  draw();
}

function showFoldAll() {
  const groups = data.rows.filter((row) => row.is_group);
  const button = document.querySelector("#grid-fold");
  button.hidden = !groups.length;
  button.textContent = groups.some((row) => !folded.has(row.id)) ? "Fold all" : "Unfold all";
}

function firstFolded() {
  const kept = localStorage.getItem(store);
  if (kept) return new Set(JSON.parse(kept));
  return new Set(data.rows.length > FOLD_FROM ? data.rows.filter((row) => row.is_group).map((row) => row.id) : []);
}

async function load() {
  const answer = await ask(grid.dataset.json, tag ? { headers: { "if-none-match": tag } } : {});
  if (answer.status === 304) return;
  tag = answer.headers.get("etag");
  data = await answer.json();
  folded ??= firstFolded();
  gather();
  showFoldAll();
  drawAll();
}

function move(event) {
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-15, 0], PageDown: [15, 0], Home: [0, -1000], End: [0, 1000] };
  const step = steps[event.key];
  if (event.target !== grid || !data || !body) return;
  const row = data.rows[shown[here.row]];
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    if (row?.is_group) fold(row.id);
    else grid.querySelector(".is-here")?.click();
    return;
  }
  if (!step) return;
  event.preventDefault();
  here.row = Math.max(0, Math.min(shown.length - 1, here.row + step[0]));
  here.column = Math.max(0, Math.min(data.columns.length - 1, here.column + step[1]));
  const top = here.row * ROW;
  const seen = grid.clientHeight - 68;
  if (top < grid.scrollTop) grid.scrollTop = top;
  if (top + ROW > grid.scrollTop + seen) grid.scrollTop = top + ROW - seen;
  draw();
  const cell = grid.querySelector(".is-here");
  cell?.scrollIntoView({ block: "nearest", inline: "nearest" });
  showTip(cell);
}

let drawing = 0;
grid.addEventListener("scroll", () => {
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(draw);
}, { passive: true });
grid.addEventListener("keydown", move);
grid.addEventListener("focus", draw);
grid.addEventListener("blur", () => (draw(), showTip(null)));
grid.addEventListener("click", (event) => {
  const button = event.target.closest("[data-fold]");
  if (button) fold(button.dataset.fold);
});
for (const kind of ["pointerover", "focusin"]) {
  grid.addEventListener(kind, (event) => showTip(event.target.closest(".grid-cell, .grid-run")));
}
grid.addEventListener("pointerleave", () => showTip(null));
grid.addEventListener("stale", () => load().catch(() => {}));
document.querySelector("#grid-fold").addEventListener("click", foldAll);
document.querySelector("#grid-find").addEventListener("input", (event) => {
  wanted = event.target.value.trim();
  grid.scrollTop = 0;
  if (!body) return;
  layOut();
  draw();
});
document.querySelector("#grid-count").addEventListener("change", (event) => {
  location.assign(`${grid.dataset.path}?count=${event.target.value}`);
});
load().catch((error) => say(error.message, true));
