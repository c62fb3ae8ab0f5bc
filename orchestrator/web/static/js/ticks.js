// Where the lines of a time axis stand and what is written there, in the zone that the reader has chosen.
import { shownZone } from "./times.js";

const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND,
  MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR,
  DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 91 * DAY, 364 * DAY];

const formats = new Map();

function format(options) {
  const timeZone = shownZone();
  const name = timeZone + JSON.stringify(options);
  if (!formats.has(name)) formats.set(name, new Intl.DateTimeFormat("sv-SE", { timeZone, ...options }));
  return formats.get(name);
}

// How far the zone's clocks are ahead of UTC then, in milliseconds.
export function offset(at) {
  const parts = format({ dateStyle: "short", timeStyle: "medium" }).format(at);
  return Date.parse(`${parts.replace(" ", "T")}Z`) - Math.floor(at / SECOND) * SECOND;
}

function label(at, step) {
  if (step >= DAY) return format({ month: "2-digit", day: "2-digit" }).format(at);
  const isMidnight = (at + offset(at)) % DAY === 0;
  if (isMidnight) return format({ month: "2-digit", day: "2-digit" }).format(at);
  if (step >= MINUTE) return format({ hour: "2-digit", minute: "2-digit" }).format(at);
  const clock = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(at);
  return step >= SECOND ? clock : `${clock.slice(6)}.${String(Math.floor(((at % SECOND) + SECOND) % SECOND)).padStart(3, "0")}`;
}

// Moments in milliseconds between two others, as many as have room, each with its text.
export function ticks(from, until, room) {
  const step = STEPS.find((one) => (until - from) / one <= room) ?? STEPS.at(-1);
  const ahead = offset(from);
  const found = [];
  for (let at = Math.ceil((from + ahead) / step) * step - ahead; at <= until; at += step) found.push({ at, text: label(at, step) });
  return found;
}

export const day = (at) => format({ dateStyle: "short" }).format(at);
export const clock = (at) => `${format({ dateStyle: "short", timeStyle: "medium" }).format(at)}.${String(Math.floor(at % SECOND)).padStart(3, "0")}`;

// As the server words it: 0.42s, 12s, 3m 05s, 2h 10m, 3d 4h.
export function lasted(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const whole = Math.floor(seconds);
  if (seconds < 10) return `${seconds.toFixed(2).replace(".00", "")}s`;
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)}h ${two(Math.floor((whole % 3600) / 60))}m`;
  return `${Math.floor(whole / 86400)}d ${Math.floor((whole % 86400) / 3600)}h`;
}
