// The log of a try: opens at its end or where the address says, follows it while it grows, and obeys keys and buttons.
import { ask } from "./fragments.js";
import { Finder, press } from "./log/finder.js";
import { Follower } from "./log/follower.js";
import { Viewer } from "./log/viewer.js";
import { say } from "./toasts.js";

const COPIED = 4 * 1024 * 1024;
const PLACE = /^#L(\d{1,15})(?:-L?(\d{1,15}))?$/;
const isTyping = (target) => target.closest("input, textarea, select, dialog, [contenteditable]");
const number = (value) => value.toLocaleString("en").replaceAll(",", "\u202f");

function bytes(size) {
  if (size < 1024) return `${size} bytes`;
  const power = Math.min(4, Math.floor(Math.log2(size) / 10));
  return `${(size / 1024 ** power).toFixed(1)} ${["", "KiB", "MiB", "GiB", "TiB"][power]}`;
}

class Log {
  constructor(panel) {
    this.panel = panel;
    this.isOver = false;
    this.viewer = new Viewer(panel, () => this.showPlace());
    this.viewer.isLocal = localStorage.getItem("zone") === "local";
    this.seen = 0;
    this.listen();
    this.open().catch((error) => this.tell(error.message));
  }

  // The log ends where the window ends, whatever stands above it.
  fit() {
    const above = this.viewer.box.getBoundingClientRect().top + scrollY;
    if (above > 0 && !this.panel.classList.contains("is-full")) this.panel.style.setProperty("--above", `${Math.round(above)}px`);
  }

  part(name) {
    return this.panel.querySelector(name);
  }

  get lines() {
    return this.viewer.lines;
  }

  async open() {
    this.showSettings();
    this.fit();
    new ResizeObserver(() => this.fit()).observe(document.querySelector("#main"));
    const isElsewhere = PLACE.test(location.hash);
    this.viewer.sticks = !isElsewhere;
    const { is_over: isOver, left_out: left } = await this.lines.find();
    this.isOver = isOver;
    this.part(".log-left").hidden = !left;
    this.part(".log-left").textContent = `It was put off ${number(left)} times before what is shown here; the download has all of it.`;
    await this.lines.fetchLines({ count: 0 });
    this.viewer.refresh();
    this.showSize();
    await this.lines.count((share) => this.showProgress(share));
    this.viewer.refresh();
    if (isElsewhere) this.goToHash();
    this.seen = this.viewer.count;
    this.finder = new Finder(this.viewer, (finder) => this.showFound(finder));
    if (this.finder.input.value || this.finder.levels.length) this.finder.look({ stays: isElsewhere });
    if (!this.isOver) this.follower = new Follower(this.lines.path("follow"), (told) => this.grown(told), () => this.over());
    this.showSize();
    this.panel.dataset.ready = "yes";
  }

  async grown({ parts, size }) {
    this.lines.spot.parts = parts;
    if (size === this.lines.size && this.lines.isCounted) return;
    if (this.isGrowing) {
      this.hasMore = true;
      return;
    }
    this.isGrowing = true;
    try {
      do {
        this.hasMore = false;
        await this.lines.grow();
        this.showGrowth(); // each time, for a log may grow faster than it is read
      } while (this.hasMore);
    } catch (error) {
      this.tell(error.message);
    }
    this.isGrowing = false;
    this.showSize();
  }

  showGrowth() {
    this.viewer.refresh();
    this.finder?.goOn();
    if (!this.viewer.sticks && this.viewer.count > this.seen) this.part(".log-news").hidden = false;
  }

  over() {
    this.isOver = true;
    this.showSize();
  }

  showPlace() {
    if (this.viewer.sticks || this.seen > this.viewer.count) {
      this.part(".log-news").hidden = true;
      this.seen = this.viewer.count; // the lines that the reader knows of
    }
    const { total } = this.lines;
    const first = total ? this.viewer.firstLine + 1 : 0;
    const sign = this.lines.isCounted ? "" : "about ";
    const isWhole = this.viewer.scroller.isAtStart && this.viewer.scroller.isAtEnd && !this.viewer.filter;
    this.part(".log-where").textContent = !total ? "" : isWhole ? `${number(total)} ${total === 1 ? "line" : "lines"}` : `Line ${number(first)} of ${sign}${number(total)}`;
    this.tell(this.lines.failed?.message ?? this.failure ?? "");
  }

  tell(text) {
    const place = this.part(".log-said");
    if (place.textContent !== text) place.textContent = text;
    place.hidden = !text;
  }

  showProgress(share) {
    const bar = this.part(".log-progress");
    bar.hidden = share >= 1;
    bar.value = share;
    this.showSize();
  }

  showSize() {
    const state = this.isOver ? "" : "Live · ";
    this.part(".log-state").textContent = `${state}${bytes(this.lines.size)}`;
    this.part(".log-state").dataset.live = this.isOver ? "no" : "yes";
    const isEmpty = this.lines.size === 0;
    this.part(".log-none").hidden = !isEmpty;
    this.viewer.box.hidden = isEmpty;
    if (isEmpty && !this.isOver) this.part(".log-none .empty p:last-child").textContent = "This try has written nothing so far.";
  }

  showFound(finder) {
    const { hits, filter } = this.viewer;
    const scan = hits ?? filter;
    this.part(".log-hits").hidden = !scan;
    this.failure = hits?.failed?.message ?? filter?.failed?.message ?? "";
    this.tell(this.failure);
    const running = [hits, filter].find((one) => one?.isRunning);
    this.part(".log-progress").hidden = !running;
    if (running) this.part(".log-progress").value = running.share;
    if (!scan) return;
    const place = hits && this.viewer.here !== null ? hits.placeOf(this.viewer.here) + 1 : 0;
    const all = number(scan.count) + (scan.isRunning ? " …" : "");
    const more = scan.isListed ? "" : `, the first ${number(scan.found.length)} listed`;
    this.part(".log-count").textContent = scan.count || scan.isRunning ? `${place ? `${number(place)} of ` : ""}${all}${hits ? "" : " lines"}${more}` : "Nothing found";
    for (const button of this.panel.querySelectorAll("[data-do=next], [data-do=previous]")) button.hidden = !hits;
  }

  listen() {
    this.panel.addEventListener("click", (event) => this.click(event));
    this.part(".log-bar").addEventListener("submit", (event) => event.preventDefault());
    this.part("input[name=q]").addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.finder?.step(event.shiftKey ? -1 : 1);
      if (event.key === "Escape") this.viewer.box.focus();
    });
    this.part("input[name=go]").addEventListener("keydown", (event) => {
      if (event.key === "Enter") { event.preventDefault(); this.go(event.target.value.trim()); }
    });
    this.viewer.box.addEventListener("keydown", (event) => this.keyInBox(event));
    document.querySelector("#zone")?.addEventListener("click", () => this.setLocal(localStorage.getItem("zone") === "local"));
  }

  keyInBox(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { scroller } = this.viewer;
    const page = scroller.tall - 40;
    const steps = { ArrowDown: 20, ArrowUp: -20, PageDown: page, PageUp: -page, " ": event.shiftKey ? -page : page, j: 20, k: -20 };
    if (event.key in steps) scroller.scrollBy(steps[event.key]);
    else if (event.key === "Home" || event.key === "g") scroller.goTo(0);
    else if (event.key === "End") scroller.goToEnd();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const does = {
      n: () => this.finder?.step(1), N: () => this.finder?.step(-1), G: () => this.viewer.scroller.goToEnd(),
      w: () => this.set("wrap"), f: () => this.set("full"), ":": () => this.part("input[name=go]").select(),
      Escape: () => this.panel.classList.contains("is-full") && this.set("full"),
    }[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  }

  click(event) {
    const line = event.target.closest(".log-number[href]");
    if (line) return this.choose(event, Number(line.dataset.line));
    const button = event.target.closest("[data-do], [data-set]");
    if (!button) return;
    const does = {
      next: () => this.finder?.step(1), previous: () => this.finder?.step(-1), copy: () => this.copy(), link: () => this.copyLink(),
      start: () => this.viewer.scroller.goTo(0), end: () => this.viewer.scroller.goToEnd(),
    }[button.dataset.do];
    if (does) does();
    else if (["wrap", "local", "full"].includes(button.dataset.set)) this.set(button.dataset.set);
  }

  showSettings() {
    press(this.part("[data-set=local]"), this.viewer.isLocal);
    const kept = localStorage.getItem("log wrap");
    const isWrapped = kept === null ? matchMedia("(max-width: 46rem)").matches : kept === "yes";
    press(this.part("[data-set=wrap]"), isWrapped);
    if (isWrapped) this.viewer.scroller.setWrapped(true);
  }

  set(name) {
    const button = this.part(`[data-set=${name}]`);
    const isOn = button.ariaPressed !== "true";
    press(button, isOn);
    if (name === "local") document.querySelector("#zone").click();
    else if (name === "full") {
      this.panel.classList.toggle("is-full", isOn);
      this.viewer.box.focus({ preventScroll: true });
      this.viewer.scroller.draw();
      this.viewer.scroller.settle();
    } else {
      localStorage.setItem("log wrap", isOn ? "yes" : "no");
      const wasAtEnd = this.viewer.sticks;
      this.viewer.scroller.setWrapped(isOn);
      if (wasAtEnd) this.viewer.scroller.goToEnd();
    }
  }

  setLocal(isLocal) {
    press(this.part("[data-set=local]"), isLocal);
    this.viewer.isLocal = isLocal;
    this.viewer.redraw();
  }

  choose(event, line) {
    event.preventDefault();
    const first = event.shiftKey && this.viewer.chosen ? this.viewer.chosen[0] : line;
    this.showChosen(Math.min(first, line), Math.max(first, line));
    const [from, to] = this.viewer.chosen;
    history.replaceState(history.state, "", `#L${from + 1}${to > from ? `-L${to + 1}` : ""}`);
  }

  showChosen(first, last) {
    this.viewer.chosen = [first, last];
    this.viewer.redraw();
    this.part("[data-do=link]").hidden = false;
  }

  goToHash() {
    const match = PLACE.exec(location.hash);
    if (!match) return;
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])].sort((one, other) => one - other).map((one) => Math.max(0, one - 1));
    this.showChosen(first, last);
    this.viewer.goTo(first);
  }

  go(text) {
    const match = /^(\d{1,15}(?:\.\d+)?)\s*(%?)$/.exec(text.replaceAll(/[\s,\u202f]/g, ""));
    if (!match) return say("Give the number of a line, such as 1200, or a part, such as 50%.", true);
    if (match[2]) this.viewer.goToShare(Math.min(1, Number(match[1]) / 100));
    else this.viewer.goTo(Math.min(this.lines.total, Number(match[1])) - 1);
    this.viewer.box.focus({ preventScroll: true });
  }

  async copy() {
    const chosen = this.viewer.chosen;
    try {
      if (!chosen && this.lines.size > COPIED) return say("This log is too long to be copied whole: choose lines by their numbers, or download it.", true);
      await write(chosen ? await this.textOf(...chosen) : await (await ask(this.lines.path("raw"))).text());
      say(chosen ? "Copied the lines that are chosen." : "Copied.");
    } catch (error) {
      say(error.message || "This could not be copied.", true);
    }
  }

  async textOf(first, last) {
    const [from, to] = await Promise.all([first, last].map((line) => this.lines.fetchLines({ line, count: 1 })));
    const [start, end] = [from.lines[0]?.start ?? 0, to.lines[0]?.end ?? this.lines.size];
    if (end - start > COPIED) throw new Error("These lines are too long to be copied: download the log.");
    return (await ask(this.lines.path("raw", { start, end }))).text();
  }

  async copyLink() {
    try {
      await write(location.href);
      say("Copied the link to these lines.");
    } catch {
      say("This could not be copied.", true);
    }
  }

  close() {
    this.follower?.end();
    this.finder?.viewer.hits?.stop();
    this.finder?.viewer.filter?.stop();
  }
}

// The clipboard of a page that came without encryption is reached by a selection only.
async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "unseen";
  document.body.append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  if (!isDone) throw new Error("This browser does not let pages copy.");
}

let log = null;

// The panel of another try takes the place of this one when that begins.
function start() {
  const panel = document.querySelector(".log-panel");
  if (panel === (log?.panel ?? null)) return;
  log?.close();
  log = panel ? new Log(panel) : null;
}

document.addEventListener("renewed", start);
document.addEventListener("keydown", (event) => log?.key(event));
addEventListener("hashchange", () => log?.goToHash());
start();
