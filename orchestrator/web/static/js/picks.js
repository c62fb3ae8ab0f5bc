// Rows that are picked in a table: what is done with all of them is linked with their names.
function tell() {
  const picks = [...document.querySelectorAll("[data-pick]")];
  const names = picks.filter((one) => one.checked).map((one) => one.value);
  const all = document.querySelector("[data-picks-all]");
  const bar = document.querySelector("[data-picked]");
  if (!all || !bar) return;
  all.checked = names.length > 0 && names.length === picks.length;
  all.indeterminate = names.length > 0 && names.length < picks.length;
  bar.hidden = !names.length;
  bar.querySelector("[data-picked-count]").textContent = `${names.length} picked`;
  for (const link of bar.querySelectorAll("[data-picked-link]")) {
    link.search = new URLSearchParams(names.map((name) => ["task", name])).toString();
  }
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-picks-all]")) {
    for (const one of document.querySelectorAll("[data-pick]")) one.checked = event.target.checked;
  } else if (!event.target.matches("[data-pick]")) return;
  tell();
});
document.addEventListener("renewed", tell);
tell();
