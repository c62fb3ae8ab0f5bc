// The lines of a log, as far as somebody has looked: fetched by pages, and forgotten again. Until the server has
// counted all of them their number is a guess, and so is where one stands.
import { ask } from "../fragments.js";

const PAGE = 250;
const KEPT = 48;
const SINGLES = 2000;
const AT_ONCE = 200;

export class Lines {
  constructor(spot, changed) {
    this.spot = spot;
    this.changed = changed;
    this.size = 0;
    this.counted = 0;
    this.total = 0;
    this.pages = new Map();
    this.singles = new Map();
    this.wanted = new Set();
    this.failed = null;
    this.hasGuessed = false;
  }

  get isCounted() {
    return this.counted >= this.size;
  }

  url(what, query) {
    return `/logs/${this.spot.runKey}/${what}?${new URLSearchParams({ parts: this.spot.parts, index: this.spot.index, ...query })}`;
  }

  // An address of this try: `what` is raw, parts or follow.
  path(what, query = {}) {
    const { path, index, attempt } = this.spot;
    return `${path}/${what}?${new URLSearchParams({ ...(Number(index) < 0 ? {} : { map_index: index }), attempt, ...query })}`;
  }

  // Asks where the log lies by now.
  async find() {
    const told = await (await ask(this.path("parts"))).json();
    this.spot.parts = told.parts;
    return told;
  }

  async fetchLines(query) {
    const found = await (await ask(this.url("lines", query))).json();
    const wasCounted = this.isCounted && this.size > 0;
    this.size = found.size;
    this.counted = found.counted;
    if (wasCounted || found.counted >= found.size || !this.total) this.total = found.total;
    if (this.hasGuessed && this.isCounted) {
      this.hasGuessed = false;
      this.pages.clear();
    }
    return found;
  }

  // Counts all there is; `progress` hears how far it is.
  async count(progress) {
    await this.fetchLines({ count: 0 });
    if (this.isCounted) return;
    while (!this.isCounted) {
      progress(this.counted / this.size);
      await this.fetchLines({ count: 0 });
    }
    progress(1);
  }

  // The line of that number, from 0: null while it is on its way.
  at(number) {
    const page = this.page(Math.floor(number / PAGE));
    return page.lines[number % PAGE] ?? null;
  }

  page(number) {
    let page = this.pages.get(number);
    if (page) {
      this.pages.delete(number);
    } else {
      page = { lines: [], isStale: true, isLoading: false };
    }
    this.pages.set(number, page);
    if (page.isStale && !page.isLoading) this.load(number, page);
    for (const old of this.pages.keys()) {
      if (this.pages.size <= KEPT) break;
      this.pages.delete(old);
    }
    return page;
  }

  async load(number, page) {
    page.isLoading = true;
    page.isStale = false;
    try {
      await this.fill(number, page);
      this.failed = null;
    } catch (error) {
      this.failed = error;
      setTimeout(() => { page.isStale = true; this.changed(); }, 2000);
    }
    page.isLoading = false;
    this.changed();
  }

  // A line that is not looked for among its neighbours.
  single(number) {
    const found = this.singles.get(number) ?? this.pages.get(Math.floor(number / PAGE))?.lines[number % PAGE];
    if (found && !found.isGuess) return found;
    if (!this.wanted.size) setTimeout(() => this.loadSingles(), 0);
    this.wanted.add(number);
    return null;
  }

  async loadSingles() {
    const numbers = [...this.wanted].slice(-AT_ONCE);
    try {
      const found = await (await ask(this.url("lines", { numbers: numbers.join(".") }))).json();
      found.lines.forEach((line, place) => this.singles.set(numbers[place], line));
      this.failed = null;
    } catch (error) {
      this.failed = error;
      await new Promise((done) => setTimeout(done, 2000));
    }
    for (const old of this.singles.keys()) {
      if (this.singles.size <= SINGLES) break;
      this.singles.delete(old);
    }
    this.wanted.clear(); // what is still in sight is asked for again
    this.changed();
  }

  async fill(number, page) {
    const lines = [];
    while (lines.length < PAGE) {
      const begin = number * PAGE + lines.length;
      this.hasGuessed ||= !this.isCounted;
      const found = await this.fetchLines({ line: begin, count: Math.min(PAGE, Math.max(1, this.total - number * PAGE)) - lines.length, of: this.total });
      lines.push(...found.lines.map((line) => ({ ...line, isGuess: found.first === null })));
      if (!found.lines.length || begin + found.lines.length >= this.total) break;
      page.lines = lines; // long lines come few at a time
      this.changed();
    }
    page.lines = lines;
  }

  // The log has grown: the last page is not whole any more.
  async grow() {
    const last = Math.max(0, this.total - 1);
    await this.fetchLines({ count: 0 });
    while (!this.isCounted) await this.fetchLines({ count: 0 });
    const page = this.pages.get(Math.floor(last / PAGE));
    if (page) page.isStale = true;
    this.singles.delete(last);
  }

  async lineOfByte(byte) {
    return (await this.fetchLines({ byte, count: 1 })).first ?? 0;
  }
}
