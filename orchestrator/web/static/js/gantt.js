// The Gantt chart of a run: a row a task, a bar a stretch of a try. Only the rows that are seen are drawn, instances of
// mapped tasks are fetched when they come into sight, and what runs grows without being asked for.
import { ask } from "./fragments.js";
import { clock, day, lasted, ticks } from "./ticks.js";
import { tableOf } from "./gantt_table.js";
import { say } from "./toasts.js";

const ROW = 28;
const HEAD = 36;
const BEYOND = 12;
const GROWS = 250;
const OPEN_UP_TO = 60; // calls of a workflow that stand unfolded from the beginning
const LEAST = 0.001; // seconds that the chart is wide at least

const chart = document.querySelector("#gantt");
const tooltip = document.querySelector("#tooltip");
let path = chart.dataset.path;
const store = () => `unfolded ${path}`;
const control = (name) => document.querySelector(`#gantt-${name}`);

let data = null;
let drawnPath = null; // of the run that is drawn
let tag = null;
let lines = new Map(); // by the place of their row
let pieces = new Map(); // of instances, by task and number
let changed = null; // the ids of groups that are folded, and of mapped tasks that are not
let shown = [];
let view = null; // the seconds from and until that are shown; null: the whole run
let here = { row: 0, bar: 0 };
let body = null;
let axis = null;
let marks = null;
const drawn = new Map();

const make = (name, className, text) => {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};
const said = (count, one, many) => `${count} ${count === 1 ? one : many}`;
const words = (state) => state.replaceAll("_", " ");
const now = () => (Date.now() - data.origin) / 1000;
const isOver = () => data.ended !== null;

// ── what is shown ──────────────────────────────────────────────────────────────────────────────────────────────

function end() {
  let last = data.ended ?? now();
  for (const line of data.lines) for (const bar of line.bars ?? []) last = Math.max(last, bar[4] ?? 0);
  return Math.max(last, LEAST);
}

let whole = [0, LEAST];
const span = () => view ?? whole;

function measure() {
  const last = end();
  whole = [0, last + Math.max(last * 0.02, LEAST / 10)];
}

const isFolded = (row, line) => (row.is_group ? changed.has(row.id) : (line?.size ?? 0) > 0 && !changed.has(row.id));

function isHidden(row) {
  for (let up = row.parent ?? -1; up >= 0; up = data.rows[up].parent ?? -1) if (changed.has(data.rows[up].id)) return true;
  return false;
}

function layOut() {
  const word = control("find").value.trim().toLowerCase();
  const only = control("longest").checked;
  shown = [];
  data.rows.forEach((row, place) => {
    const line = lines.get(place);
    if (only ? !line?.is_critical : word ? row.is_group : isHidden(row)) return;
    if (word && !row.id.toLowerCase().includes(word)) return;
    shown.push({ row, line, place, id: row.id });
    if (!row.is_group && line?.size && changed.has(row.id)) {
      for (let at = 0; at < line.size; at++) shown.push({ row, at, id: `${row.id} ${at}` });
    }
  });
  here.row = Math.min(here.row, Math.max(0, shown.length - 1));
  drawn.clear();
  body.querySelectorAll(".gantt-row").forEach((row) => row.remove());
  body.style.height = `${Math.max(shown.length, 1) * ROW}px`;
  chart.setAttribute("aria-rowcount", shown.length + 1);
  showFoldAll();
}

// The line of an entry; that of an instance is asked for where it is not there yet.
function lineOf(entry) {
  if (entry.line || entry.at === undefined) return entry.line;
  const number = Math.floor(entry.at / data.piece);
  const key = `${entry.row.id} ${number}`;
  if (!pieces.has(key)) {
    pieces.set(key, null);
    fetchPiece(entry.row.id, number, key).catch((error) => say(error.message, true));
  }
  return pieces.get(key)?.[entry.at % data.piece];
}

async function fetchPiece(task, number, key) {
  const held = pieces;
  const query = new URLSearchParams({ task, first: number * data.piece, origin: data.origin });
  const found = await (await ask(`${path}/gantt/instances.json?${query}`)).json();
  held.set(key, found.lines);
  if (held !== pieces) return;
  for (const [at, line] of drawn) {
    if (shown[at]?.row.id !== task || shown[at].at === undefined) continue;
    line.remove();
    drawn.delete(at);
  }
  draw();
}

function groupBars(place) {
  const below = [...lines].filter(([one]) => {
    for (let up = data.rows[one].parent ?? -1; up >= 0; up = data.rows[up].parent ?? -1) if (up === place) return true;
    return false;
  }).flatMap(([, line]) => line.bars ?? []);
  if (!below.length) return [];
  const isOpen = below.some((bar) => bar[4] === null);
  return [["running", "none", 0, Math.min(...below.map((bar) => bar[3])), isOpen ? null : Math.max(...below.map((bar) => bar[4])), ""]];
}

const barsOf = (entry) => (entry.row.is_group ? groupBars(entry.place) : lineOf(entry)?.bars ?? []);

// ── drawing ────────────────────────────────────────────────────────────────────────────────────────────────────

function put(element, from, until) {
  const [first, last] = span();
  const wide = last - first;
  element.style.left = `${((from - first) / wide) * 100}%`;
  element.style.width = `${(Math.max(until - from, 0) / wide) * 100}%`;
}

function hrefOf(entry, attempt) {
  const index = lineOf(entry)?.map_index ?? -1;
  const query = new URLSearchParams();
  if (index >= 0) query.set("map_index", index);
  if (attempt) query.set("attempt", attempt);
  const text = query.toString();
  return `${path}/tasks/${encodeURIComponent(entry.row.id)}${text ? `?${text}` : ""}`;
}

function nameOf(entry) {
  const line = lineOf(entry);
  if (entry.at === undefined) return entry.row.id;
  return line ? `${entry.row.id}[${line.map_index}]` : entry.row.id;
}

function told(entry, bar) {
  const [doing, state, attempt, from, until, worker] = bar;
  const line = lineOf(entry);
  const what = { queued: "waited for a worker", running: until === null ? "running" : words(state), waiting: `waited: ${words(state)}` }[doing];
  const at = (seconds) => clock(data.origin + seconds * 1000);
  const found = [nameOf(entry) + (attempt ? ` · try ${attempt}` : "")];
  if (line?.name) found.push(line.name);
  if (line?.counts) found.push(Object.entries(line.counts).map(([one, count]) => `${count} ${words(one)}`).join(", "));
  if (!entry.row.is_group) found.push(what);
  found.push(`${at(from)} – ${until === null ? "now" : at(until)}`, lasted(Math.max((until ?? now()) - from, 0)));
  if (worker) found.push(`worker ${worker}`);
  if (line?.is_critical) found.push("on the critical path");
  return found.join("\n");
}

function drawName(entry) {
  const { row } = entry;
  const line = lineOf(entry);
  const name = make("div", "grid-name");
  const isInstance = entry.at !== undefined;
  const isFlat = control("find").value.trim() || control("longest").checked;
  name.setAttribute("role", "rowheader");
  name.dataset.depth = Math.min((isFlat ? 0 : row.depth ?? 0) + (isInstance ? 1 : 0), 7);
  if (row.is_group || (line?.size && !isInstance)) {
    const fold = make("button", "", "▸");
    fold.type = "button";
    fold.tabIndex = -1;
    fold.dataset.fold = row.id;
    fold.setAttribute("aria-expanded", String(!isFolded(row, line)));
    fold.setAttribute("aria-label", `Fold ${row.id}`);
    name.append(fold);
  }
  name.append(make("span", "", isInstance ? (line ? `${line.name || `[${line.map_index}]`}` : "…") : isFlat ? row.id : row.label));
  name.title = row.about ? `${nameOf(entry)} · ${row.about}` : nameOf(entry);
  if (!isInstance && line?.size) name.append(make("span", "count", `× ${line.size}`));
  return name;
}

function drawBar(entry, bar, at, number) {
  const [doing, state, attempt, , until] = bar;
  const isMany = entry.row.is_group || (entry.line?.size ?? 0) > 0;
  const element = make(isMany ? "span" : "a", `gantt-bar is-${doing} state-${state}${until === null ? " is-open" : ""}`);
  if (!isMany) element.href = hrefOf(entry, attempt);
  if (isMany) element.dataset.fold = entry.row.id;
  element.tabIndex = -1;
  element.draggable = false;
  element.dataset.row = at;
  element.dataset.bar = number;
  element.setAttribute(isMany ? "role" : "aria-label", isMany ? "img" : told(entry, bar).replaceAll("\n", ", "));
  if (isMany) element.setAttribute("aria-label", told(entry, bar).replaceAll("\n", ", "));
  return element;
}

function drawRow(at) {
  const entry = shown[at];
  const line = lineOf(entry);
  const kind = entry.row.is_group ? " is-group" : entry.at !== undefined ? " is-instance" : line?.size ? " is-mapped is-many" : "";
  const row = make("div", `gantt-row${kind}${line?.is_critical ? " is-longest" : ""}`);
  row.setAttribute("role", "row");
  row.setAttribute("aria-rowindex", at + 2);
  row.style.transform = `translateY(${at * ROW}px)`;
  const track = make("div", "gantt-track");
  track.setAttribute("role", "gridcell");
  track.setAttribute("aria-label", `${nameOf(entry)}: ${words(line?.state ?? "none")}`);
  track.append(...barsOf(entry).map((bar, number) => drawBar(entry, bar, at, number)));
  row.append(drawName(entry), track);
  place(row, at);
  return row;
}

// Puts the bars of a row where they belong now.
function place(row, at) {
  const bars = barsOf(shown[at]);
  const track = row.lastChild;
  bars.forEach((bar, number) => put(track.children[number], bar[3], bar[4] ?? now()));
  if (!row.classList.contains("is-longest") || !bars.length) return;
  const [first, last] = span();
  const until = bars.at(-1)[4] ?? now();
  track.style.setProperty("--from", `${((bars[0][3] - first) / (last - first)) * 100}%`);
  track.style.setProperty("--long", `${((until - bars[0][3]) / (last - first)) * 100}%`);
}

function draw() {
  if (!body) return;
  const first = Math.max(0, Math.floor((chart.scrollTop - HEAD) / ROW) - BEYOND);
  const last = Math.min(shown.length, Math.ceil((chart.scrollTop + chart.clientHeight) / ROW) + BEYOND);
  for (const [at, row] of drawn) {
    if (at >= first && at < last) continue;
    row.remove();
    drawn.delete(at);
  }
  for (let at = first; at < last; at++) {
    if (drawn.has(at)) continue;
    drawn.set(at, drawRow(at));
    body.append(drawn.get(at));
  }
  mark();
}

function placeAll() {
  measure();
  for (const [at, row] of drawn) place(row, at);
  drawAxis();
}

function drawAxis() {
  const [first, last] = span();
  const found = ticks(data.origin + first * 1000, data.origin + last * 1000, Math.max(2, axis.clientWidth / 90));
  const share = (at) => `${((at - first) / (last - first)) * 100}%`;
  const texts = [];
  const bars = [];
  for (const one of found) {
    const at = share((one.at - data.origin) / 1000);
    const text = make("span", "gantt-tick", one.text);
    const bar = make("i");
    text.style.left = bar.style.left = at;
    texts.push(text);
    bars.push(bar);
  }
  const special = [[data.began, "is-began"], [isOver() ? null : now(), "is-now"]];
  for (const [at, name] of special) {
    if (at === null || at < 0) continue;
    const bar = make("i", name);
    bar.style.left = share(at);
    bars.push(bar);
  }
  axis.replaceChildren(...texts);
  marks.replaceChildren(...bars);
  chart.querySelector(".gantt-day").textContent = day(data.origin + first * 1000);
  control("whole").hidden = control("out").disabled = view === null;
  control("out").disabled = view === null;
  control("said").textContent = view ? lasted(last - first) : data.ended === null ? "" : lasted(data.ended - (data.began ?? 0));
}

function drawAll() {
  const { scrollTop } = chart;
  const head = make("div", "gantt-head");
  const corner = make("div", "gantt-corner");
  const count = data.rows.filter((row) => !row.is_group).length;
  axis = make("div", "gantt-axis");
  marks = make("div", "gantt-lines");
  body = make("div", "gantt-body");
  head.setAttribute("role", "row");
  corner.setAttribute("role", "columnheader");
  axis.setAttribute("role", "columnheader");
  axis.setAttribute("aria-label", "Time");
  marks.setAttribute("aria-hidden", "true");
  body.setAttribute("role", "rowgroup");
  corner.append(make("span", "", said(count, ...(data.is_workflow ? ["activity", "activities"] : ["task", "tasks"]))), make("span", "gantt-day"));
  head.append(corner, axis);
  body.append(marks);
  if (!data.rows.length) {
    const nothing = make("div", "empty");
    nothing.append(make("p", "empty-title", "Nothing has begun"), make("p", "", "What is called stands here as soon as it is handed out."));
    chart.replaceChildren(nothing);
    body = null;
    return;
  }
  chart.replaceChildren(head, body);
  measure();
  layOut();
  drawAxis();
  chart.scrollTop = scrollTop;
  draw();
  if (document.querySelector("#gantt-table").open) tabulate();
}

// ── what the reader does ───────────────────────────────────────────────────────────────────────────────────────

function mark() {
  chart.querySelectorAll(".is-here").forEach((one) => one.classList.remove("is-here"));
  if (document.activeElement !== chart) return;
  const row = drawn.get(here.row);
  row?.classList.add("is-here");
  row?.lastChild.children[here.bar]?.classList.add("is-here");
}

function showTip(target) {
  const entry = target && shown[target.dataset.row];
  const bar = entry && barsOf(entry)[target.dataset.bar];
  tooltip.hidden = !bar;
  if (!bar) return;
  tooltip.textContent = told(entry, bar);
  const box = target.getBoundingClientRect();
  const room = axis.getBoundingClientRect();
  const size = tooltip.getBoundingClientRect();
  const left = Math.max(box.left, room.left);
  tooltip.style.left = `${Math.max(8, Math.min(left, innerWidth - size.width - 8))}px`;
  tooltip.style.top = `${box.top - size.height - 6 > 8 ? box.top - size.height - 6 : box.bottom + 6}px`;
}

function fold(id) {
  if (changed.has(id)) changed.delete(id);
  else changed.add(id);
  keep();
}

function keep() {
  sessionStorage.setItem(store(), JSON.stringify([...changed]));
  layOut();
  draw();
}

const groups = () => data.rows.filter((row) => row.is_group);

function showFoldAll() {
  control("fold").hidden = !groups().length;
  control("fold").textContent = groups().some((row) => !changed.has(row.id)) ? "Fold all" : "Unfold all";
}

function foldAll() {
  const isOpen = groups().some((row) => !changed.has(row.id));
  for (const row of groups()) changed[isOpen ? "add" : "delete"](row.id);
  keep();
}

function firstFolded() {
  const kept = sessionStorage.getItem(store());
  if (kept) return new Set(JSON.parse(kept));
  const calls = data.lines.filter((line) => line.size);
  const isFew = data.is_workflow && calls.reduce((sum, line) => sum + line.size, 0) <= OPEN_UP_TO;
  return new Set(isFew ? calls.map((line) => data.rows[line.place].id) : []);
}

function look(from, until) {
  if (!body) return;
  const wide = Math.max(until - from, LEAST);
  view = wide >= whole[1] - whole[0] ? null : [Math.max(from, 0), Math.max(from, 0) + wide];
  placeAll();
}

function zoom(by) {
  const [first, last] = span();
  const middle = (first + last) / 2;
  const half = ((last - first) / 2) * by;
  look(middle - half, middle + half);
}

function pan(by) {
  if (!view) return;
  const wide = view[1] - view[0];
  const from = Math.max(0, Math.min(view[0] + by * wide, whole[1] - wide));
  look(from, from + wide);
}

const KEYS = { "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => look(0, Infinity), "[": () => pan(-0.25), "]": () => pan(0.25) };
const STEPS = { ArrowUp: -1, ArrowDown: 1, PageUp: -15, PageDown: 15, Home: -1e6, End: 1e6 };

function move(event) {
  if (event.target !== chart || !body || event.ctrlKey || event.metaKey || event.altKey) return;
  const entry = shown[here.row];
  if (KEYS[event.key]) KEYS[event.key]();
  else if (event.key === "Enter" || event.key === " ") {
    if (entry?.row.is_group || entry?.line?.size) fold(entry.row.id);
    else drawn.get(here.row)?.lastChild.children[here.bar]?.click();
  } else if (STEPS[event.key]) {
    here = { row: Math.max(0, Math.min(shown.length - 1, here.row + STEPS[event.key])), bar: 0 };
    const top = here.row * ROW;
    const seen = chart.clientHeight - HEAD;
    if (top < chart.scrollTop) chart.scrollTop = top;
    if (top + ROW > chart.scrollTop + seen) chart.scrollTop = top + ROW - seen;
  } else if (event.key === "ArrowLeft") here.bar = Math.max(0, here.bar - 1);
  else if (event.key === "ArrowRight") here.bar = Math.min(Math.max(0, barsOf(entry).length - 1), here.bar + 1);
  else return;
  event.preventDefault();
  draw();
  showTip(drawn.get(here.row)?.lastChild.children[here.bar]);
}

// A range that is dragged over becomes the whole width.
let drag = null;
let hasDragged = false;

function secondsAt(x) {
  const box = axis.getBoundingClientRect();
  const [first, last] = span();
  return first + Math.min(1, Math.max(0, (x - box.left) / box.width)) * (last - first);
}

chart.addEventListener("pointerdown", (event) => {
  hasDragged = false;
  if (event.button !== 0 || event.pointerType === "touch" || !event.target.closest(".gantt-axis, .gantt-track") || !body) return;
  drag = { x: event.clientX, from: secondsAt(event.clientX) };
});
addEventListener("pointermove", (event) => {
  if (!drag || (!drag.box && Math.abs(event.clientX - drag.x) < 5)) return;
  drag.box ??= marks.appendChild(make("div", "gantt-drag"));
  if (!drag.box.isConnected) marks.append(drag.box);
  const at = secondsAt(event.clientX);
  put(drag.box, Math.min(at, drag.from), Math.max(at, drag.from));
  getSelection()?.removeAllRanges();
});
addEventListener("pointerup", (event) => {
  if (!drag) return;
  const { box, from } = drag;
  drag = null;
  if (!box) return;
  hasDragged = true;
  box.remove();
  const until = secondsAt(event.clientX);
  look(Math.min(from, until), Math.max(from, until));
});
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !drag) return;
  drag.box?.remove();
  drag = null;
});
chart.addEventListener("click", (event) => {
  if (hasDragged) event.preventDefault();
  const button = hasDragged ? null : event.target.closest("[data-fold]");
  if (button) fold(button.dataset.fold);
}, true);
chart.addEventListener("dblclick", (event) => event.target.closest(".gantt-axis") && look(0, Infinity));

function tabulate() {
  document.querySelector("#gantt-table .table-scroll").replaceChildren(tableOf(data, shown, { nameOf, barsOf, hrefOf }));
}

async function load() {
  const asked = path;
  if (!asked) return;
  const answer = await ask(`${path}/gantt/bars.json`, tag ? { headers: { "if-none-match": tag } } : {});
  if (answer.status === 304 || asked !== path) return;
  tag = answer.headers.get("etag");
  data = await answer.json();
  lines = new Map(data.lines.map((line) => [line.place, line]));
  pieces = new Map();
  if (drawnPath !== asked) {
    changed = firstFolded();
    view = null;
    here = { row: 0, bar: 0 };
    drawnPath = asked;
  }
  drawAll();
}

// The page of a DAG shows its newest run: when there is a newer one, the chart is of that.
function follow() {
  const newest = document.querySelector("#gantt-of")?.dataset.path ?? path;
  if (newest === path) return;
  path = newest;
  tag = null;
  load().catch((error) => say(error.message, true));
}

let drawing = 0;
const later = (what) => () => {
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(what);
};
setInterval(() => data && body && !isOver() && !document.hidden && placeAll(), GROWS);
new ResizeObserver(later(() => data && body && placeAll())).observe(chart);
chart.addEventListener("scroll", later(draw), { passive: true });
chart.addEventListener("keydown", move);
chart.addEventListener("focus", draw);
chart.addEventListener("blur", () => (mark(), showTip(null)));
chart.addEventListener("pointerover", (event) => showTip(event.target.closest(".gantt-bar")));
chart.addEventListener("pointerleave", () => showTip(null));
chart.addEventListener("stale", () => load().catch(() => {}));
document.addEventListener("renewed", follow);
document.addEventListener("zone", () => data && body && drawAll());
document.querySelector("#gantt-table").addEventListener("toggle", (event) => event.target.open && data && tabulate());
control("fold").addEventListener("click", foldAll);
control("whole").addEventListener("click", () => look(0, Infinity));
control("in").addEventListener("click", () => zoom(0.5));
control("out").addEventListener("click", () => zoom(2));
for (const name of ["find", "longest"]) {
  control(name).addEventListener("input", () => {
    if (!body) return;
    chart.scrollTop = 0;
    layOut();
    draw();
  });
}
load().catch((error) => say(error.message, true));
