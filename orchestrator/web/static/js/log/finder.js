// What is looked for in a log, and the lines that are shown: kept in the address, so that it can be shared.
import { Scan } from "./scan.js";

const WAIT = 250;
const SETTINGS = { regex: "regex", case: "case", only: "only" };

export class Finder {
  constructor(viewer, told) {
    this.viewer = viewer;
    this.told = told;
    this.panel = viewer.panel;
    this.input = this.panel.querySelector("input[name=q]");
    this.read();
    this.input.addEventListener("input", () => this.soon());
    for (const button of this.panel.querySelectorAll("[data-level], [data-set=case], [data-set=regex], [data-set=only]")) {
      button.addEventListener("click", () => {
        press(button, button.ariaPressed !== "true");
        this.look();
      });
    }
  }

  isOn(name) {
    return this.panel.querySelector(`[data-set=${name}]`).ariaPressed === "true";
  }

  get levels() {
    return [...this.panel.querySelectorAll("[data-level][aria-pressed=true]")].map((one) => one.dataset.level);
  }

  read() {
    const query = new URLSearchParams(location.search);
    this.input.value = query.get("q") ?? "";
    for (const name of Object.keys(SETTINGS)) press(this.panel.querySelector(`[data-set=${name}]`), query.has(name));
    for (const level of query.getAll("level")) {
      const button = this.panel.querySelector(`[data-level="${CSS.escape(level)}"]`);
      if (button) press(button, true);
    }
  }

  write() {
    const query = new URLSearchParams(location.search);
    for (const name of ["q", "level", ...Object.keys(SETTINGS)]) query.delete(name);
    if (this.input.value) query.set("q", this.input.value);
    for (const name of Object.keys(SETTINGS)) if (this.isOn(name)) query.set(name, "1");
    for (const level of this.levels) query.append("level", level);
    const text = query.toString();
    history.replaceState(history.state, "", location.pathname + (text ? `?${text}` : "") + location.hash);
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), WAIT);
  }

  // Begins anew with what is wanted now, and goes to the first that is found, unless one `stays`.
  look({ stays = false } = {}) {
    this.stays = stays;
    clearTimeout(this.timer);
    this.write();
    const { viewer, levels } = this;
    const line = viewer.firstLine;
    const wasFiltered = viewer.filter !== null;
    viewer.hits?.stop();
    viewer.filter?.stop();
    const word = { q: this.input.value, regex: this.isOn("regex"), caseMatters: this.isOn("case"), levels };
    const isOnly = this.isOn("only") && word.q;
    viewer.hits = word.q ? new Scan(viewer.lines, word, () => this.progress()) : null;
    viewer.filter = isOnly ? viewer.hits : levels.length ? new Scan(viewer.lines, { ...word, q: "", regex: false }, () => this.progress()) : null;
    viewer.here = null;
    this.from = line;
    viewer.version += 1;
    viewer.refresh();
    if (wasFiltered && !viewer.filter) viewer.scroller.goTo(line);
    this.told(this);
    this.goOn();
  }

  goOn() {
    this.viewer.hits?.run();
    if (this.viewer.filter !== this.viewer.hits) this.viewer.filter?.run();
  }

  progress() {
    const { viewer } = this;
    if (viewer.hits && viewer.here === null && viewer.hits.found.length) this.first();
    viewer.refresh();
    this.told(this);
  }

  // The first hit that one would come to, once it is known.
  first() {
    const { hits } = this.viewer;
    if (this.stays) return;
    const place = hits.placeOf(this.from);
    if (place < hits.found.length) this.goTo(hits.found[place]);
    else if (!hits.isRunning || hits.at >= hits.size) this.goTo(hits.found[0]);
  }

  step(by) {
    const { hits, here, firstLine } = this.viewer;
    if (!hits?.found.length) return;
    const place = here === null ? hits.placeOf(firstLine) - (by < 0 ? 0 : 1) : hits.placeOf(here);
    this.goTo(hits.found[(place + by + hits.found.length) % hits.found.length]);
    this.told(this);
  }

  goTo(line) {
    const { viewer } = this;
    viewer.here = line;
    if (line < viewer.firstLine + 1 || line >= viewer.lastLine - 1) viewer.goTo(line);
    else viewer.redraw();
  }
}

export function press(button, isOn) {
  button.setAttribute("aria-pressed", String(isOn));
}
