// "/" goes to the search, "g" and a letter to a page, "t" opens what triggers.
const isTyping = (target) => target.closest("input, textarea, select, [contenteditable], dialog");
let waiting = false;

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const link = waiting ? document.querySelector(`.bar a[data-go="${CSS.escape(event.key)}"]`) : null;
  waiting = event.key === "g";
  if (link) return link.click();
  const target = document.querySelector(`[data-key-press="${CSS.escape(event.key)}"]`);
  if (!target) return;
  event.preventDefault();
  if (target.matches("input")) target.select();
  else target.click();
}

export function startKeys() {
  document.addEventListener("keydown", press);
}
