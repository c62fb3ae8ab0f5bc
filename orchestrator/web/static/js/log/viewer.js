// The viewer of one log: which rows there are, what stands in them, and where one is.
import { Lines } from "./lines.js";
import { Scroller } from "./scroller.js";
import { showLine } from "./text.js";

const NOTHING = [];

export class Viewer {
  constructor(panel, told) {
    this.panel = panel;
    this.box = panel.querySelector(".log-box");
    this.told = told;
    this.sticks = true; // to the end, while it grows
    this.lines = new Lines(spotOf(panel), () => this.redrawSoon());
    this.filter = null; // a scan: only the lines that it finds are rows
    this.hits = null; // a scan: what it finds is marked
    this.here = null; // the line of the hit that one is at
    this.chosen = null; // [first, last] of the lines that are chosen
    this.isLocal = false;
    this.version = 0;
    this.scroller = new Scroller(this.box, {
      show: (row) => this.show(row),
      key: (row) => this.key(row),
      moved: () => this.moved(),
    });
  }

  // The reader has moved: whoever is at the end stays there.
  moved() {
    this.sticks = this.scroller.isAtEnd === true;
    this.told();
  }

  get count() {
    return this.filter ? this.filter.found.length : this.lines.total;
  }

  lineOf(row) {
    return this.filter ? this.filter.found[row] : row;
  }

  rowOf(line) {
    return this.filter ? this.filter.placeOf(line) : line;
  }

  // The line of a row, null while it is on its way: those that are found lie far apart, and are asked for one by one.
  read(line) {
    if (line === undefined) return null;
    return this.filter ? this.lines.single(line) : this.lines.at(line);
  }

  key(row) {
    const line = this.lineOf(row);
    const found = this.read(line);
    return `${line} ${this.version} ${found ? `${found.end}${found.isGuess ?? ""}` : ""} ${this.hits?.marks.has(line) ?? ""} ${line === this.here} ${this.isChosen(line)}`;
  }

  isChosen(line) {
    return this.chosen !== null && line >= this.chosen[0] && line <= this.chosen[1];
  }

  show(row) {
    const line = this.lineOf(row);
    const found = this.read(line);
    const element = document.createElement("div");
    element.className = "log-row";
    const number = document.createElement("a");
    number.className = "log-number";
    number.dataset.line = line;
    number.tabIndex = -1;
    element.append(number);
    if (!found) {
      element.classList.add("is-waiting");
      return element;
    }
    if (!found.isGuess) {
      number.textContent = String(line + 1);
      number.href = `#L${line + 1}`;
    }
    const text = document.createElement("span");
    text.className = "log-text";
    const level = showLine(text, found.text, this.hits?.marks.get(line) ?? NOTHING, this.isLocal);
    element.classList.add(`is-${level}`);
    element.classList.toggle("is-here", line === this.here);
    element.classList.toggle("is-chosen", this.isChosen(line));
    if (found.is_cut) text.append(" ", this.rest(found));
    element.append(text);
    return element;
  }

  // What is too long to be shown is read raw.
  rest(found) {
    const link = document.createElement("a");
    link.className = "log-rest";
    link.href = this.lines.path("raw", { start: found.start, end: found.end });
    link.textContent = `… ${(found.end - found.start).toLocaleString()} bytes in all`;
    return link;
  }

  redrawSoon() {
    this.planned ??= requestAnimationFrame(() => {
      this.planned = null;
      this.refresh();
    });
  }

  // Shows what has come, and stays where one is: at the end, if one is there.
  refresh() {
    this.panel.style.setProperty("--digits", String(Math.max(3, String(this.lines.total).length)));
    this.scroller.setCount(this.count);
    if (this.sticks) this.scroller.toEnd();
    else this.scroller.draw();
    this.scroller.settle();
    this.told();
  }

  redraw() {
    this.version += 1;
    this.scroller.draw();
  }

  // Shows a line in the middle of the box, or the one after it where it is filtered away.
  goTo(line) {
    this.scroller.goTo(this.rowOf(Math.max(0, line)), 0.4);
  }

  // What lies about there of all the bytes.
  goToShare(share) {
    this.scroller.goTo(Math.floor(this.count * share), 0);
  }

  get firstLine() {
    return this.lineOf(this.scroller.row) ?? 0;
  }

  get lastLine() {
    return this.lineOf(this.scroller.lastShown) ?? 0;
  }
}

function spotOf(panel) {
  const { runKey, index, attempt, path } = panel.dataset;
  return { runKey, index, attempt, path, parts: "" };
}
