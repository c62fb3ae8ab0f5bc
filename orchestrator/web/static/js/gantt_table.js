// What the Gantt chart shows, as a table: a row a stretch of a try.
import { clock, lasted } from "./ticks.js";

const MOST = 1000;
const HEADS = ["Task", "Try", "What", "From", "Until", "Duration", "Worker"];

function cell(text, className = "") {
  const element = document.createElement("td");
  element.className = className;
  element.textContent = text;
  return element;
}

function row(data, entry, bar, { nameOf, hrefOf }) {
  const [doing, state, attempt, from, until, worker] = bar;
  const at = (seconds) => clock(data.origin + seconds * 1000);
  const name = cell("", "name");
  const link = document.createElement("a");
  link.textContent = nameOf(entry);
  link.href = hrefOf(entry, attempt);
  name.append(entry.line?.size ? nameOf(entry) : link);
  const what = doing === "running" ? state : doing === "queued" ? "waited for a worker" : `waited: ${state}`;
  const line = document.createElement("tr");
  line.append(name, cell(attempt || "—", "number"), cell(what.replaceAll("_", " ")), cell(at(from), "nowrap"),
    cell(until === null ? "goes on" : at(until), "nowrap"), cell(until === null ? "—" : lasted(until - from), "number"), cell(worker || "—"));
  return line;
}

export function tableOf(data, shown, names) {
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  for (const text of HEADS) {
    const one = document.createElement("th");
    one.scope = "col";
    one.textContent = text;
    head.append(one);
  }
  const body = table.createTBody();
  for (const entry of shown.slice(0, MOST)) {
    if (entry.row.is_group) continue;
    body.append(...names.barsOf(entry).map((bar) => row(data, entry, bar, names)));
  }
  return table;
}
