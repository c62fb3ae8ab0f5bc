// Moments in UTC or in the reader's own zone, and how long ago they were.
const UNITS = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]];
const zoneName = Intl.DateTimeFormat().resolvedOptions().timeZone;

const isLocal = () => localStorage.getItem("zone") === "local";
// The name of the zone that times are shown in; the event "zone" tells that it is another.
export const shownZone = () => (isLocal() ? zoneName : "UTC");

function written(at) {
  const parts = new Intl.DateTimeFormat("sv-SE", {
    timeZone: shownZone(), dateStyle: "short", timeStyle: "medium",
  });
  return parts.format(at);
}

export function distance(at, now) {
  const seconds = (at - now) / 1000;
  if (Math.abs(seconds) < 1) return "now";
  const [size, unit] = UNITS.find(([size]) => Math.abs(seconds) >= size);
  const text = `${Math.floor(Math.abs(seconds) / size)}${unit}`;
  return seconds > 0 ? `in ${text}` : `${text} ago`;
}

export function showTimes(root = document) {
  const now = Date.now();
  for (const time of root.querySelectorAll("time[data-moment]")) {
    const text = written(new Date(time.dateTime));
    if (time.textContent !== text) time.textContent = text;
  }
  for (const time of root.querySelectorAll("time[data-ago]")) {
    const at = new Date(time.dateTime);
    const text = distance(at, now);
    if (time.textContent !== text) time.textContent = text;
    time.title = `${written(at)} ${shownZone()}`;
  }
}

function showZone(button) {
  button.textContent = isLocal() ? "Local" : "UTC";
  button.title = `Times are shown in ${shownZone()}; press to change`;
}

export function startTimes() {
  const button = document.querySelector("#zone");
  if (button) {
    showZone(button);
    button.addEventListener("click", () => {
      localStorage.setItem("zone", isLocal() ? "utc" : "local");
      showZone(button);
      showTimes();
      document.dispatchEvent(new Event("zone"));
    });
  }
  showTimes();
  setInterval(() => showTimes(), 1000);
}
