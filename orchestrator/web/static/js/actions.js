// Sends forms and buttons that change something: with the session's word against forgery, and without a reload.
//   <form method="post" action="…" data-sends>      sent urlencoded
//   <button data-post="…" data-confirm="…?">         sends nothing but itself
// The server answers 204 with x-go-to (an address) or x-say (a sentence), or html that takes the form's place:
// the form once more, or what has data-instead.
import { ask } from "./fragments.js";
import { refresh } from "./live.js";
import { say } from "./toasts.js";

const csrf = () => document.querySelector('meta[name="csrf"]')?.content ?? "";

async function send(url, body, form) {
  const headers = { "x-csrf-token": csrf(), accept: "text/html" };
  const answer = await ask(url, { method: "POST", body, headers });
  const path = answer.headers.get("x-go-to");
  if (path) return void location.assign(path);
  const said = answer.headers.get("x-say");
  if (said) say(decodeURIComponent(said));
  if (form && answer.headers.get("content-type")?.startsWith("text/html")) replace(form, await answer.text());
  if (answer.status !== 204) return answer.ok ? refresh() : undefined;
  form?.closest("dialog")?.close();
  await refresh();
}

function replace(form, text) {
  const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("[data-instead], form[data-sends]");
  if (!fresh) return;
  const shown = document.importNode(fresh, true);
  form.replaceWith(shown);
  shown.querySelector('[aria-invalid="true"], [role="alert"]')?.focus();
}

async function busily(element, work) {
  if (element.ariaBusy === "true") return;
  element.ariaBusy = "true";
  try {
    await work();
  } catch (error) {
    say(error.message, true);
  } finally {
    element.ariaBusy = "false";
  }
}

export function startActions() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-sends]")) return;
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form, event.submitter));
    busily(form, () => send(form.getAttribute("action"), body, form));
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-post]");
    if (!button || (button.dataset.confirm && !confirm(button.dataset.confirm))) return;
    busily(button, () => send(button.dataset.post, new URLSearchParams(), null));
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
  });
}
