// Rows of which only those in sight are there, however many there are. The rows stand in a sheet that sticks to the box,
// so scrolling moves nothing by itself: it says how far to go. Up to CAP pixels the scroll bar is the place itself;
// beyond, what lies between the two ends is pressed together, for no browser has higher elements.
const ROW = 20;
const CAP = 8000000;
const EXACT = 200000;
const ROOM = 300;
const REST = 140;

export class Scroller {
  // `show(row)` makes the element of a row; `key(row)` changes when it has to be made again.
  constructor(box, { show, key, moved }) {
    this.box = box;
    this.space = box.querySelector(".log-space");
    this.view = box.querySelector(".log-view");
    this.rows = box.querySelector(".log-rows");
    Object.assign(this, { show, key, moved });
    this.count = 0;
    this.row = 0; // the first in sight
    this.into = 0; // and how many pixels of it are not
    this.height = ROW; // of a row, on the average
    this.isWrapped = false;
    this.isHeld = false; // the scroll bar itself is moved
    this.last = 0;
    this.shown = new Map();
    this.listen();
  }

  listen() {
    this.box.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.box.addEventListener("pointerdown", (event) => { this.isHeld = event.target === this.box; });
    addEventListener("pointerup", () => { this.isHeld = false; });
    this.box.addEventListener("wheel", () => { this.isHeld = false; }, { passive: true });
    new ResizeObserver(() => this.draw()).observe(this.box);
  }

  get tall() {
    return this.box.clientHeight;
  }

  setCount(count) {
    this.count = count;
    if (this.row >= count) this.row = Math.max(0, count - 1);
    this.resize();
  }

  resize() {
    const wanted = Math.min(CAP, Math.ceil(this.count * this.height));
    if (this.wanted === wanted) return;
    this.wanted = wanted;
    this.space.style.height = `${wanted}px`;
  }

  // Between places of rows and of the scroll bar.
  get span() {
    return { all: Math.max(0, this.count * this.height - this.tall), bar: Math.max(0, this.wanted - this.tall) };
  }

  toBar(place) {
    const { all, bar } = this.span;
    if (all <= bar || place < EXACT) return place;
    if (place > all - EXACT) return bar - (all - place);
    return EXACT + ((place - EXACT) * (bar - 2 * EXACT)) / (all - 2 * EXACT);
  }

  fromBar(at) {
    const { all, bar } = this.span;
    if (all <= bar || at < EXACT) return at;
    if (at > bar - EXACT) return all - (bar - at);
    return EXACT + ((at - EXACT) * (all - 2 * EXACT)) / (bar - 2 * EXACT);
  }

  scrolled() {
    const at = this.box.scrollTop;
    const by = at - this.last;
    if (Math.abs(by) < 0.5) return;
    this.last = at;
    if (this.isHeld || Math.abs(by) > 2 * this.tall) this.goToPlace(at);
    else this.moveBy(by);
    this.draw();
    this.keepRoom();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.settle(), REST);
    this.moved();
  }

  goToPlace(at) {
    if (at >= this.span.bar - 1) return this.toEnd();
    const place = this.fromBar(at) / this.height;
    this.row = Math.min(Math.max(0, this.count - 1), Math.floor(place));
    this.into = (place - this.row) * (this.isWrapped ? 0 : ROW);
  }

  moveBy(by) {
    this.into += by;
    while (this.into < 0 && this.row > 0) {
      this.row -= 1;
      this.draw();
      this.into += this.heightOf(this.row);
    }
    this.into = Math.max(0, this.into);
    while (this.row < this.count - 1 && this.into >= this.heightOf(this.row)) {
      this.into -= this.heightOf(this.row);
      this.row += 1;
      if (!this.shown.has(this.row)) this.draw();
    }
  }

  heightOf(row) {
    return this.isWrapped ? this.shown.get(row)?.offsetHeight ?? ROW : ROW;
  }

  // There is always room to scroll on, unless there is nothing more.
  keepRoom() {
    if (this.isHeld) return;
    const { bar } = this.span;
    const at = this.box.scrollTop;
    if ((at < ROOM && !this.isAtStart) || (at > bar - ROOM && !this.isAtEnd)) this.settle();
    else if (this.isAtStart || (this.isAtEnd && at < bar)) this.settle();
  }

  // Puts the scroll bar where the rows are.
  settle() {
    if (this.isHeld) return;
    const { bar } = this.span;
    let at = Math.min(bar, this.toBar(this.row * this.height + (this.into * this.height) / this.heightOf(this.row)));
    const room = Math.min(ROOM, bar / 4);
    if (this.isWrapped || this.wanted >= CAP) {
      if (!this.isAtStart) at = Math.max(at, this.isWrapped ? room : 1);
      if (!this.isAtEnd) at = Math.min(at, bar - (this.isWrapped ? room : 1));
    }
    if (this.isAtStart) at = 0;
    else if (this.isAtEnd) at = bar;
    if (Math.abs(at - this.box.scrollTop) > 0.5) this.box.scrollTop = at;
    this.last = this.box.scrollTop;
  }

  toEnd() {
    this.row = Math.max(0, this.count - 1);
    this.into = 0;
    this.draw();
  }

  goTo(row, share = 0) {
    this.row = Math.max(0, Math.min(this.count - 1, row));
    this.into = 0;
    if (share) {
      this.draw();
      this.moveBy(-Math.floor(this.tall * share));
    }
    this.draw();
    this.settle();
    this.moved();
  }

  goToEnd() {
    this.toEnd();
    this.settle();
    this.moved();
  }

  scrollBy(by) {
    this.moveBy(by);
    this.draw();
    this.settle();
    this.moved();
  }

  get isAtStart() {
    return this.row === 0 && this.into < 0.5;
  }

  get lastShown() {
    return Math.min(this.count, this.row + this.fits) - 1;
  }

  get fits() {
    return Math.ceil(this.tall / ROW) + 1;
  }

  draw() {
    this.view.style.height = `${this.tall}px`;
    this.place();
    this.closeGap();
    this.rows.style.transform = `translateY(${-this.into}px)`;
    this.measure();
  }

  // Makes the rows in sight, and takes away all others.
  place() {
    const last = Math.min(this.count, this.row + this.fits);
    for (const [row, element] of this.shown) {
      if (row >= this.row && row < last && element.dataset.key === this.key(row)) continue;
      element.remove();
      this.shown.delete(row);
    }
    let before = null;
    for (let row = last - 1; row >= this.row; row--) {
      let element = this.shown.get(row);
      if (!element) {
        element = this.show(row);
        element.dataset.key = this.key(row);
        this.shown.set(row, element);
        this.rows.insertBefore(element, before);
      }
      before = element;
    }
  }

  // No emptiness below the last row while there are rows above.
  closeGap() {
    this.isAtEnd = false;
    if (this.row + this.fits < this.count) return;
    let below = -this.into;
    for (let row = this.row; row < this.count; row++) below += this.heightOf(row);
    let gap = this.tall - below;
    while (gap > 0 && (this.row > 0 || this.into > 0)) {
      const step = Math.min(gap, this.into);
      this.into -= step;
      gap -= step;
      if (gap <= 0 || this.row === 0) break;
      this.row -= 1;
      this.place();
      this.into = this.heightOf(this.row);
    }
    this.isAtEnd = gap > -1;
  }

  measure() {
    const wide = Math.ceil(this.rows.scrollWidth);
    if (!this.isWrapped && wide > (this.wide ?? 0)) {
      this.wide = wide;
      this.space.style.minWidth = `${wide}px`;
    }
    if (!this.isWrapped || !this.shown.size) return;
    const all = [...this.shown.values()].reduce((sum, element) => sum + element.offsetHeight, 0);
    const seen = all / this.shown.size;
    const least = this.isAtStart && this.isAtEnd ? ROW : (this.tall + 3 * ROOM) / Math.max(1, this.count);
    this.height = Math.max(ROW, least, this.height * 0.8 + seen * 0.2);
    this.resize();
  }

  setWrapped(isWrapped) {
    this.isWrapped = isWrapped;
    this.box.classList.toggle("is-wrapped", isWrapped);
    this.height = ROW;
    this.wide = 0;
    this.space.style.minWidth = "";
    if (!isWrapped) this.into = Math.min(this.into, ROW - 1);
    this.resize();
    this.draw();
    this.settle();
  }

  // Everything is made again.
  redraw() {
    for (const element of this.shown.values()) element.remove();
    this.shown.clear();
    this.draw();
  }
}
