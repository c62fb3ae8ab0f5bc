// Has the server verify the chain of the audit, piece by piece, and says how far it is.
import { ask } from "./fragments.js";
import { refresh } from "./live.js";
import { say } from "./toasts.js";

const csrf = () => document.querySelector('meta[name="csrf"]')?.content ?? "";

function show(text, state) {
  const badge = document.createElement("span");
  badge.className = `badge state-${state}`;
  badge.textContent = text;
  document.querySelector("#proof").replaceChildren(badge);
}

async function verify(url, afresh) {
  const answer = await ask(`${url}?afresh=${afresh}`, { method: "POST", headers: { "x-csrf-token": csrf() } });
  const found = await answer.json();
  const place = `line ${found.verified.toLocaleString()}`;
  if (found.breaks.length) {
    show(`broken after ${place}`, "failed");
    return say(`The log does not hold: ${found.breaks[0]}`, true);
  }
  show(found.done ? `proven to ${place}` : `proven to ${place} of ${found.last.toLocaleString()}`, found.done ? "success" : "running");
  if (!found.done) return verify(url, false);
  say("The log holds.");
  await refresh();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-verify]");
  if (!button || button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  verify(button.dataset.verify, true)
    .catch((error) => say(error.message, true))
    .finally(() => (button.ariaBusy = "false"));
});
