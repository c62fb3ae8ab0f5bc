// A drawing that is moved by dragging, and made larger and smaller by the wheel, two fingers or the keyboard.
const LEAST = 0.02;
const MOST = 2.5;
const STEP = 1.25;
const DRAGGED = 4; // pixels from which on it is no click any more

export class PanZoom {
  // changed(view) is called whenever something else is in sight.
  constructor(svg, layer, changed) {
    Object.assign(this, { svg, layer, changed, x: 0, y: 0, scale: 1, width: 1, height: 1, pointers: new Map(), dragged: false, due: 0 });
    svg.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    svg.addEventListener("pointerdown", (event) => this.#press(event));
    svg.addEventListener("pointermove", (event) => this.#drag(event));
    for (const kind of ["pointerup", "pointercancel"]) svg.addEventListener(kind, (event) => this.pointers.delete(event.pointerId));
    svg.addEventListener("click", (event) => this.#click(event), { capture: true });
    svg.addEventListener("dragstart", (event) => event.preventDefault());
    new ResizeObserver(() => this.#move(this.x, this.y, this.scale)).observe(svg);
  }

  // What is in sight, in the drawing's own pixels.
  get seen() {
    const { width, height } = this.svg.getBoundingClientRect();
    return { left: -this.x / this.scale, top: -this.y / this.scale, right: (width - this.x) / this.scale, bottom: (height - this.y) / this.scale };
  }

  size(width, height) {
    Object.assign(this, { width, height });
  }

  fit(least = LEAST) {
    const { width, height } = this.svg.getBoundingClientRect();
    const scale = Math.max(least, Math.min(1, (width - 48) / this.width, (height - 48) / this.height));
    const centred = (room, size) => (size * scale > room - 48 ? 24 : (room - size * scale) / 2);
    this.#move(centred(width, this.width), centred(height, this.height), scale);
  }

  zoom(steps) {
    const { width, height } = this.svg.getBoundingClientRect();
    this.#zoomAt(width / 2, height / 2, STEP ** steps);
  }

  pan(x, y) {
    this.#move(this.x + x, this.y + y, this.scale);
  }

  // Brings a rectangle into sight; it is not moved where it is there already.
  show(rect, scale = this.scale) {
    const seen = this.seen;
    const isThere = rect.x >= seen.left && rect.y >= seen.top && rect.x + rect.width <= seen.right && rect.y + rect.height <= seen.bottom;
    if (isThere && scale === this.scale) return;
    const { width, height } = this.svg.getBoundingClientRect();
    this.#move(width / 2 - (rect.x + rect.width / 2) * scale, height / 2 - (rect.y + rect.height / 2) * scale, scale);
  }

  #wheel(event) {
    event.preventDefault();
    const box = this.svg.getBoundingClientRect();
    const lines = event.deltaMode === 1 ? 33 : 1;
    this.#zoomAt(event.clientX - box.left, event.clientY - box.top, 1.0015 ** (-event.deltaY * lines));
  }

  #press(event) {
    if (event.button !== 0) return;
    if (!this.pointers.size) this.dragged = false;
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  }

  #drag(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const at = { x: event.clientX, y: event.clientY };
    if (!this.dragged && Math.hypot(at.x - before.x, at.y - before.y) < DRAGGED) return;
    if (!this.dragged) this.svg.setPointerCapture(event.pointerId);
    this.dragged = true;
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const box = this.svg.getBoundingClientRect();
      const factor = Math.hypot(at.x - other.x, at.y - other.y) / Math.max(1, Math.hypot(before.x - other.x, before.y - other.y));
      this.#zoomAt((at.x + other.x) / 2 - box.left, (at.y + other.y) / 2 - box.top, factor);
    } else {
      this.pan(at.x - before.x, at.y - before.y);
    }
    this.pointers.set(event.pointerId, at);
  }

  // What ends a drag is no click on what lies below.
  #click(event) {
    if (!this.dragged) return;
    event.preventDefault();
    event.stopPropagation();
    this.dragged = false;
  }

  #zoomAt(x, y, factor) {
    const scale = Math.max(LEAST, Math.min(MOST, this.scale * factor));
    const real = scale / this.scale;
    this.#move(x - (x - this.x) * real, y - (y - this.y) * real, scale);
  }

  // Some of the drawing always stays in sight.
  #move(x, y, scale) {
    const { width, height } = this.svg.getBoundingClientRect();
    this.scale = scale;
    this.x = Math.max(60 - this.width * scale, Math.min(width - 60, x));
    this.y = Math.max(60 - this.height * scale, Math.min(height - 60, y));
    this.layer.setAttribute("transform", `translate(${this.x} ${this.y}) scale(${this.scale})`);
    cancelAnimationFrame(this.due);
    this.due = requestAnimationFrame(() => this.changed(this));
  }
}
