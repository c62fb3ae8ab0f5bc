// Makes an element like another one while it stays the same: focus, scroll, what is typed and what is open survive.

const key = (node) => (node.nodeType === 1 ? node.id || node.dataset.key || null : null);

const isAlike = (one, other) =>
  one.nodeType === other.nodeType && one.nodeName === other.nodeName && key(one) === key(other);

function morphAttributes(old, fresh) {
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (fresh.hasAttribute(name) || isTheReaders(old, name)) continue;
    old.removeAttribute(name);
  }
}

// What the reader has opened stays open, and what scripts have put there stays.
const isTheReaders = (element, name) =>
  (name === "open" && ["DETAILS", "DIALOG"].includes(element.nodeName)) || name === "title" && element.nodeName === "TIME";

function morphChildren(old, fresh) {
  const keyed = new Map([...old.childNodes].filter(key).map((node) => [key(node), node]));
  let here = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const known = key(wanted) ? keyed.get(key(wanted)) : null;
    if (known && known !== here) here = old.insertBefore(known, here);
    if (here && isAlike(here, wanted)) {
      morph(here, wanted);
      here = here.nextSibling;
    } else {
      old.insertBefore(document.importNode(wanted, true), here);
    }
  }
  while (here) {
    const next = here.nextSibling;
    here.remove();
    here = next;
  }
}

export function morph(old, fresh) {
  if (old.nodeType !== 1) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.isEqualNode(fresh) || old.dataset.own !== undefined) return;
  if (old === document.activeElement && old.matches("input, textarea, select")) return;
  morphAttributes(old, fresh);
  morphChildren(old, fresh);
}
