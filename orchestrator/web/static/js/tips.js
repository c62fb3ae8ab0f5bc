// Says something beside what the pointer or the keyboard is at.
const tooltip = document.querySelector("#tooltip");

export function showTip(target, text) {
  tooltip.hidden = !text;
  if (!text) return;
  tooltip.textContent = text;
  const box = target.getBoundingClientRect();
  const size = tooltip.getBoundingClientRect();
  const above = box.top - size.height - 6;
  tooltip.style.left = `${Math.max(8, Math.min(box.left, innerWidth - size.width - 8))}px`;
  tooltip.style.top = `${above > 8 ? above : box.bottom + 6}px`;
}
