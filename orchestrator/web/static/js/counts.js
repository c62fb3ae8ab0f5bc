// A number in the navigation that follows what happens, without asking more often than somebody looks.
import { ask } from "./fragments.js";

const AT_MOST = 2000;

export function startCounts() {
  const sign = document.querySelector("#nav-count");
  let planned = null;
  let asked = 0;

  async function renew() {
    planned = null;
    asked = Date.now();
    const { count } = await (await ask(sign.dataset.src)).json();
    sign.textContent = count;
    sign.hidden = !count;
  }

  sign?.addEventListener("stale", () => {
    planned ??= setTimeout(() => renew().catch(() => {}), Math.max(0, asked + AT_MOST - Date.now()));
  });
}
