// The calendar of a DAG: a table of days in columns of weeks, or of hours in rows of days, each a link to its runs. Arrow
// keys go from cell to cell.
import { ask } from "./fragments.js";
import { offset } from "./ticks.js";
import { shownZone } from "./times.js";
import { say } from "./toasts.js";

const DAY = 86400;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const OPEN = ["running", "queued"];

const place = document.querySelector("#calendar");
const tooltip = document.querySelector("#tooltip");
const part = (name) => document.querySelector(`#calendar-${name}`);
const { path, by } = place.dataset;

let data = null;
let tag = null;
let asked = "";
let found = new Map(); // stretches by their number
let busiest = 1;
let here = null;

const make = (name, className, text) => {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};
const total = (stretch) => Object.values(stretch?.counts ?? {}).reduce((sum, count) => sum + count, 0);
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

// A stretch's beginning as the wall clock shows it, and as a moment.
const wall = (number) => new Date(number * data.seconds * 1000);
function moment(number) {
  const shown = number * data.seconds * 1000;
  return shown - offset(shown - offset(shown));
}
// Numbers are counted from a Thursday.
const weekday = (number) => (((number + 3) % 7) + 7) % 7;
const date = (number) => wall(number).toISOString().slice(0, 10);

function title(number) {
  if (data.seconds === DAY) return `${DAYS[weekday(number)]} ${date(number)}`;
  return `${date(number)} ${wall(number).toISOString().slice(11, 16)}`;
}

function said(number) {
  const stretch = found.get(number);
  const parts = Object.entries(stretch?.counts ?? {}).map(([state, count]) => `${count} ${state}`);
  if (stretch?.planned) parts.push(`${stretch.planned} planned`);
  return `${title(number)}: ${parts.join(", ") || "nothing"}`;
}

function href(number) {
  if (data.seconds === DAY && data.zone === "UTC") return `${path}/runs?since=${date(number)}&until=${date(number)}`;
  const at = (one) => new Date(moment(one)).toISOString().replace(".000Z", "Z");
  return `${path}/runs?${new URLSearchParams({ since: at(number), until: at(number + 1) })}`;
}

function colour(element, number) {
  const stretch = found.get(number);
  const count = total(stretch);
  if (!count) {
    if (stretch?.planned) element.classList.add("is-planned");
    return;
  }
  if (part("colour").value === "count") {
    element.dataset.count = Math.max(1, Math.ceil((4 * count) / busiest));
    return;
  }
  const failed = stretch.counts.failed ?? 0;
  const isOpen = OPEN.some((state) => stretch.counts[state]);
  element.dataset.share = !failed && isOpen ? "open" : failed === count ? 4 : Math.ceil((3 * failed) / count);
}

function cell(number) {
  const outer = make("td");
  if (number < data.first || number >= data.end) return outer;
  const count = total(found.get(number));
  const inner = make(count ? "a" : "span", "day");
  if (count) inner.href = href(number);
  inner.tabIndex = -1;
  inner.dataset.number = number;
  if (!count) inner.setAttribute("role", "img");
  inner.setAttribute("aria-label", said(number));
  if (number === data.today) inner.classList.add("is-today");
  colour(inner, number);
  outer.append(inner);
  return outer;
}

const head = (text, scope, span = 1) => {
  const element = make("th", "", text);
  element.scope = scope;
  if (span > 1) element.colSpan = span;
  return element;
};

function drawDays() {
  const start = data.first - weekday(data.first);
  const weeks = Math.ceil((data.end - start) / 7);
  const table = make("table", "days");
  const months = table.createTHead().insertRow();
  months.append(head("", "col"));
  for (let week = 0; week < weeks; ) {
    const month = wall(Math.max(start + week * 7 + 6, data.first)).getUTCMonth();
    let span = 1;
    while (week + span < weeks && wall(Math.min(start + (week + span) * 7 + 6, data.end - 1)).getUTCMonth() === month) span++;
    months.append(head(MONTHS[month], "colgroup", span));
    week += span;
  }
  const body = table.createTBody();
  for (let day = 0; day < 7; day++) {
    const row = body.insertRow();
    row.append(head(DAYS[day], "row"));
    for (let week = 0; week < weeks; week++) row.append(cell(start + week * 7 + day));
  }
  return table;
}

function drawHours() {
  const table = make("table", "days hours");
  const row = table.createTHead().insertRow();
  row.append(head("", "col"), ...Array.from({ length: 24 }, (_, hour) => head(String(hour).padStart(2, "0"), "col")));
  const body = table.createTBody();
  for (let day = data.first; day < data.end; day += 24) {
    const line = body.insertRow();
    line.append(head(`${DAYS[weekday(day / 24)]} ${date(day).slice(8)}`, "row"));
    for (let hour = 0; hour < 24; hour++) line.append(cell(day + hour));
  }
  return table;
}

function tellAll() {
  const counts = {};
  let planned = 0;
  for (const stretch of data.stretches) {
    planned += stretch.planned ?? 0;
    for (const [state, count] of Object.entries(stretch.counts ?? {})) counts[state] = (counts[state] ?? 0) + count;
  }
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const ended = (counts.success ?? 0) + (counts.failed ?? 0);
  const parts = [plural(all, "run")];
  if (ended) parts.push(`${Math.floor((1000 * (counts.success ?? 0)) / ended) / 10} % succeeded`);
  if (planned) parts.push(`the next ${planned} planned`);
  part("said").textContent = parts.join(" · ");
}

function link(name, shown) {
  part(name).href = `${path}/calendar?${new URLSearchParams({ ...(by === "hour" ? { by } : {}), shown })}`;
  part(name).title = shown;
}

function draw() {
  found = new Map(data.stretches.map((stretch) => [stretch.number, stretch]));
  busiest = Math.max(1, ...data.stretches.map(total));
  const first = place.querySelector("table") === null;
  const { scrollLeft } = place;
  part("title").textContent = data.title;
  link("older", data.older);
  link("newer", data.newer);
  tellAll();
  const table = data.seconds === DAY ? drawDays() : drawHours();
  table.setAttribute("aria-label", `Runs of ${data.title}, times in ${data.zone}`);
  const hadFocus = place.contains(document.activeElement);
  place.replaceChildren(table);
  if (!data.stretches.length) place.append(make("p", "calendar-nothing quietly", "Nothing has run then, and nothing is planned."));
  here ??= data.today >= data.first && data.today < data.end ? data.today : data.end - 1;
  at(here)?.setAttribute("tabindex", "0");
  if (hadFocus) at(here)?.focus();
  const ahead = (at(here)?.getBoundingClientRect().left ?? 0) - place.getBoundingClientRect().left;
  place.scrollLeft = first ? Math.max(0, ahead - place.clientWidth / 2) : scrollLeft;
}

const at = (number) => place.querySelector(`[data-number="${number}"]`);

function move(event) {
  const isDays = data?.seconds === DAY;
  const step = { ArrowUp: isDays ? -1 : -24, ArrowDown: isDays ? 1 : 24, ArrowLeft: isDays ? -7 : -1, ArrowRight: isDays ? 7 : 1 }[event.key];
  const next = step && at(here + step);
  if (!next) return;
  event.preventDefault();
  at(here)?.setAttribute("tabindex", "-1");
  here += step;
  next.tabIndex = 0;
  next.focus();
}

function showTip(target) {
  tooltip.hidden = !target;
  if (!target) return;
  tooltip.textContent = said(Number(target.dataset.number)).replace(": ", "\n");
  const box = target.getBoundingClientRect();
  const size = tooltip.getBoundingClientRect();
  tooltip.style.left = `${Math.max(8, Math.min(box.left - size.width / 2 + 8, innerWidth - size.width - 8))}px`;
  tooltip.style.top = `${box.top - size.height - 6 > 8 ? box.top - size.height - 6 : box.bottom + 6}px`;
}

async function load() {
  const query = new URLSearchParams({ by, shown: place.dataset.shown, zone: shownZone() });
  const answer = await ask(`${path}/calendar.json?${query}`, tag && asked === String(query) ? { headers: { "if-none-match": tag } } : {});
  if (answer.status === 304) return;
  tag = answer.headers.get("etag");
  asked = String(query);
  data = await answer.json();
  draw();
}

part("colour").addEventListener("change", () => {
  for (const key of document.querySelectorAll("[data-for]")) key.hidden = key.dataset.for !== part("colour").value;
  if (data) draw();
});
place.addEventListener("keydown", move);
for (const kind of ["pointerover", "focusin"]) place.addEventListener(kind, (event) => showTip(event.target.closest(".day")));
for (const kind of ["pointerleave", "focusout"]) place.addEventListener(kind, () => showTip(null));
place.addEventListener("stale", () => load().catch(() => {}));
document.addEventListener("zone", () => {
  here = null;
  load().catch((error) => say(error.message, true));
});
load().catch((error) => say(error.message, true));
