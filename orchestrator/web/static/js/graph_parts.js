// The parts of a graph's drawing: cards of tasks and folded groups, boxes of groups, edges.
const SVG = "http://www.w3.org/2000/svg";

export function make(name, attributes = {}, text = undefined) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

const rect = ({ x, y, width, height }, attributes) => make("rect", { x, y, width, height, ...attributes });

// From afar, only what tells where a card is and how it stands.
export function makeCard(card, isFar) {
  const link = make("a", { class: "card", "data-place": card.place });
  if (isFar) {
    link.append(rect(card, { class: "card-body", rx: 8 }));
    return link;
  }
  const { x, y, width, height } = card;
  if (card.is_mapped) link.append(make("rect", { x: x + 6, y: y + 5, width, height, rx: 8, class: "card-behind" }));
  link.append(rect(card, { class: "card-body", rx: 8 }));
  link.append(make("rect", { x: x + 7, y: y + 9, width: 4, height: height - 18, rx: 2, class: "card-stripe" }));
  link.append(make("text", { x: x + 20, y: y + 21, class: "card-title" }, card.title));
  const kind = make("text", { x: x + 20, y: y + 37, class: "card-kind" }, card.operator);
  for (const mark of card.marks ?? []) kind.append(make("tspan", { dx: 7, class: "card-mark" }, mark));
  link.append(kind);
  if (card.tasks) link.append(make("text", { x: x + width - 16, y: y + 22, class: "card-open" }, "+"));
  link.append(make("g", { class: "card-shares" }));
  return link;
}

// How the states of many instances share the foot of a card.
export function showShares(link, card, counts) {
  const foot = link.querySelector(".card-shares");
  if (!foot) return;
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (all < 2) return foot.replaceChildren();
  let x = card.x + 20;
  const room = card.width - 32;
  foot.replaceChildren(...Object.entries(counts).map(([state, count]) => {
    const width = (room * count) / all;
    const share = make("rect", { x, y: card.y + card.height - 6, width, height: 3, class: `card-share state-${state}` });
    x += width;
    return share;
  }));
}

export function makeBox(box) {
  const group = make("g", { class: "box", "data-depth": box.depth % 2 });
  group.append(rect(box, { rx: 12, class: "box-body" }));
  const fold = make("g", { class: "box-fold", role: "button", tabindex: 0, "data-fold": box.id, "aria-label": `Fold ${box.id}` });
  fold.append(make("rect", { x: box.x + 6, y: box.y + 4, width: Math.min(box.width - 12, box.title.length * 7.4 + 34), height: 20, rx: 5, class: "box-handle" }));
  fold.append(make("text", { x: box.x + 12, y: box.y + 18, class: "box-sign" }, "−"));
  fold.append(make("text", { x: box.x + 26, y: box.y + 18, class: "box-title" }, box.title));
  group.append(fold);
  return group;
}

// From one point to the next, leaving and arriving level.
export function curve(way) {
  let path = `M${way[0]} ${way[1]}`;
  for (let at = 2; at < way.length; at += 2) {
    const [x, y, toX, toY] = way.slice(at - 2, at + 2);
    const bend = y !== toY || toX < x ? Math.max(24, Math.abs(toX - x) / 2) : 0;
    path += bend ? `C${x + bend} ${y} ${toX - bend} ${toY} ${toX} ${toY}` : `L${toX} ${toY}`;
  }
  return path;
}

export function makeEdge(edge) {
  const group = make("g", { class: "edge" });
  group.append(make("path", { d: curve(edge.way), "marker-end": "url(#tip)" }));
  if (!edge.label) return group;
  const [x, y, toX, toY] = edge.way.slice(-4);
  group.append(make("text", { x: (x + toX) / 2, y: (y + toY) / 2 - 3, class: "edge-label" }, edge.label));
  return group;
}

// The corners of what an edge goes by.
export function extent(way) {
  const xs = way.filter((_, at) => at % 2 === 0);
  const ys = way.filter((_, at) => at % 2 === 1);
  return { left: Math.min(...xs) - 30, right: Math.max(...xs) + 30, top: Math.min(...ys) - 30, bottom: Math.max(...ys) + 30 };
}
