// Looks through a log for what is wanted, a stretch after another, and keeps in which lines it is. The server lists so
// many; what comes after is counted.
import { ask } from "../fragments.js";

const MOST = 100000;
const BUSY = 300;

export class Scan {
  constructor(lines, wanted, progress) {
    this.lines = lines;
    this.wanted = wanted;
    this.progress = progress;
    this.found = [];
    this.marks = new Map();
    this.count = 0;
    this.at = 0;
    this.line = 0;
    this.size = 0;
    this.isRunning = false;
    this.failed = null;
    this.stopper = new AbortController();
  }

  get isListed() {
    return this.count <= this.found.length;
  }

  get share() {
    return this.size ? this.at / this.size : 0;
  }

  stop() {
    this.stopper.abort();
  }

  // Goes on to the end as it is now; asked again when the log has grown.
  async run() {
    if (this.isRunning || this.failed) return;
    this.isRunning = true;
    try {
      do await this.step();
      while (this.at < this.size && !this.stopper.signal.aborted);
    } catch (error) {
      if (!this.stopper.signal.aborted) this.failed = error;
    }
    this.isRunning = false;
    if (!this.stopper.signal.aborted) this.progress(this);
  }

  async step() {
    const { q, regex, caseMatters, levels } = this.wanted;
    const query = [["q", q], ["regex", regex], ["case", caseMatters], ["at", this.at], ["line", this.line], ["most", this.found.length < MOST ? 5000 : 0], ...levels.map((level) => ["level", level])];
    const url = `${this.lines.url("search", {})}&${new URLSearchParams(query)}`;
    const before = this.at;
    const found = await (await ask(url, { signal: this.stopper.signal })).json();
    for (const [line, ...places] of found.hits) this.take(line, places);
    this.count += found.count - this.again;
    this.again = 0;
    Object.assign(this, { at: found.at, line: found.line, size: found.size });
    this.progress(this);
    if (this.at === before && this.at < this.size) await new Promise((done) => setTimeout(done, BUSY));
  }

  again = 0;

  // The last line is found twice where more of it has been written meanwhile.
  take(line, places) {
    const pairs = [];
    for (let number = 0; number < places.length; number += 2) pairs.push([places[number], places[number + 1]]);
    if (this.found.at(-1) === line) {
      this.again += 1;
      return;
    }
    this.found.push(line);
    if (pairs.length) this.marks.set(line, pairs);
  }

  // The place in `found` of the first line that is not before that one.
  placeOf(line) {
    let [low, high] = [0, this.found.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.found[middle] < line) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
