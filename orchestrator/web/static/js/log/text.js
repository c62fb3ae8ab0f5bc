// A line of a log as elements: its colours as classes, what was found in it marked, and whatever steers a terminal or
// turns the direction of writing shown as an escape. Text only: nothing in a line is ever markup.
const COLOURS = /\x1b\[([0-9;:]*)m/g;
const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{6})Z (\S+) ?/;
const LABEL = 8; // letters that a short one is filled up to
const UNSEEN = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Cs}/gu;
const LEVELS = { ERROR: "error", CRITICAL: "error", FATAL: "error", WARNING: "warning", WARN: "warning", DEBUG: "debug", TRACE: "debug", stdout: "output", stderr: "output", output: "output" };
const STYLES = { 1: "bold", 2: "dim", 3: "italic", 4: "under", 7: "inverse", 9: "strike" };
const BASE = [0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5, 0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff];

const local = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium" });

export function plain(raw) {
  const text = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
  return text.includes("\x1b") ? text.replace(COLOURS, "") : text;
}

// The nearest of the sixteen colours, which the page has in light and dark.
function nearest(red, green, blue) {
  const far = (colour) => (red - (colour >> 16)) ** 2 + (green - ((colour >> 8) & 255)) ** 2 + (blue - (colour & 255)) ** 2;
  return BASE.reduce((best, colour, number) => (far(colour) < far(BASE[best]) ? number : best), 0);
}

function ofPalette(number) {
  if (number < 16) return number;
  if (number > 231) return nearest(...Array(3).fill(8 + (number - 232) * 10));
  const part = (value) => (value ? 55 + value * 40 : 0);
  return nearest(part(Math.floor((number - 16) / 36)), part(Math.floor((number - 16) / 6) % 6), part((number - 16) % 6));
}

// What an escape sequence makes of the look so far.
function restyled(look, sequence) {
  const codes = sequence.split(/[;:]/).map(Number);
  let now = { ...look };
  while (codes.length) {
    const code = codes.shift();
    if (code === 0) now = {};
    else if (STYLES[code]) now[STYLES[code]] = true;
    else if (code === 22) now = { ...now, bold: false, dim: false };
    else if ([23, 24, 27, 29].includes(code)) now[STYLES[code - 20]] = false;
    else if (code === 39) now.ink = undefined;
    else if (code === 49) now.paper = undefined;
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) now.ink = code < 90 ? code - 30 : code - 82;
    else if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) now.paper = code < 100 ? code - 40 : code - 92;
    else if (code === 38 || code === 48) {
      const kind = codes.shift();
      const colour = kind === 5 ? ofPalette(codes.shift() ?? 0) : kind === 2 ? nearest(...[0, 1, 2].map(() => codes.shift() ?? 0)) : undefined;
      now[code === 38 ? "ink" : "paper"] = Number.isFinite(colour) ? colour : undefined;
    }
  }
  return now;
}

function classesOf(look) {
  const names = Object.values(STYLES).filter((name) => look[name]).map((name) => `sgr-${name}`);
  if (look.ink !== undefined) names.push(`sgr-ink-${look.ink}`);
  if (look.paper !== undefined) names.push(`sgr-paper-${look.paper}`);
  return names.join(" ");
}

// The stretches of a line that look alike: [beginning, end, classes], in letters of its plain text.
function stretches(raw) {
  if (!raw.includes("\x1b")) return [[0, raw.length, ""]];
  const found = [];
  let look = {}, at = 0, from = 0;
  for (const match of [...raw.matchAll(COLOURS), { index: raw.length, 0: "", 1: "" }]) {
    const length = match.index - from;
    if (length) found.push([at, at + length, classesOf(look)]);
    at += length;
    from = match.index + match[0].length;
    look = restyled(look, match[1]);
  }
  return found;
}

function escape(letter) {
  const code = letter.codePointAt(0);
  if (code < 256) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 65536 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\u{${code.toString(16)}}`;
}

function make(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function addText(parent, text) {
  let from = 0;
  for (const match of text.matchAll(UNSEEN)) {
    if (match.index > from) parent.append(text.slice(from, match.index));
    const sign = make("span", "log-unseen", escape(match[0]));
    sign.title = `The character U+${match[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
    parent.append(sign);
    from = match.index + match[0].length;
  }
  if (from < text.length) parent.append(from ? text.slice(from) : text);
}

// Adds the letters from `begin` to `end`, with their looks and marks.
function addPart(parent, text, begin, end, looks, marks) {
  const places = new Set([begin, end]);
  for (const [start, stop] of [...looks, ...marks]) {
    if (start > begin && start < end) places.add(start);
    if (stop > begin && stop < end) places.add(stop);
  }
  const cuts = [...places].sort((one, other) => one - other);
  for (let number = 0; number + 1 < cuts.length; number++) {
    const [start, stop] = [cuts[number], cuts[number + 1]];
    const look = looks.find((one) => one[0] <= start && start < one[1])?.[2] ?? "";
    const isMarked = marks.some((one) => one[0] <= start && start < one[1]);
    const target = isMarked || look ? make(isMarked ? "mark" : "span", look) : parent;
    addText(target, text.slice(start, stop));
    if (target !== parent) parent.append(target);
  }
}

// Fills `parent` with a line, and returns its level.
export function showLine(parent, raw, marks, isLocal) {
  const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
  const text = plain(line);
  const looks = stretches(line);
  const stamp = STAMP.exec(text);
  const labelAt = stamp ? stamp[1].length + stamp[2].length + 2 : 0;
  const begin = stamp ? Math.max(stamp[0].length, labelAt + LABEL + 1) : 0;
  if (stamp) {
    const at = `${stamp[1]}${stamp[2].slice(0, 4)}`;
    const shown = isLocal ? local.format(new Date(`${at}Z`)) + stamp[2].slice(0, 4) : at.replace("T", " ");
    const isMarked = marks.some(([start]) => start < stamp[1].length);
    const time = make(isMarked ? "mark" : "span", "log-time");
    time.append(make("span", "log-date", shown.slice(0, 11)), shown.slice(11));
    time.title = `${stamp[1]}${stamp[2]}Z`;
    parent.append(time, " ");
    const label = make("span", "log-label");
    addPart(label, text, labelAt, labelAt + stamp[3].length, [], marks);
    parent.append(label, " ");
  }
  addPart(parent, text, begin, text.length, looks, marks);
  return stamp ? LEVELS[stamp[3]] ?? "info" : "output";
}
