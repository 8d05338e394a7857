// A grid of any number of tiles, of which only those in sight are in the page.
"use strict";

const GAP = 12;
// Browsers lay out no element of more than 17 million pixels; a higher list is scrolled in larger steps.
const MOST_PIXELS = 15e6;
const ROWS_AROUND = 2;

class PatchGrid {
  // `makeTile` makes the `li` of a patch, with one link in it.
  constructor(list, makeTile) {
    this.list = list;
    this.makeTile = makeTile;
    this.patches = new Uint32Array();
    this.tiles = new Map();
    // One tile can be reached with Tab; arrows go on from it.
    this.active = null;
    addEventListener("scroll", () => this.render(), { passive: true });
    new ResizeObserver(() => this.resize()).observe(list);
    list.addEventListener("keydown", (event) => this.onKey(event));
    list.addEventListener("focusin", (event) => this.activate(event.target.closest("li")));
  }

  show(patches) {
    this.patches = patches;
    this.resize();
  }

  // Makes the tiles again, where they say something else of the same patches.
  renew() {
    for (const tile of this.tiles.values()) tile.remove();
    this.tiles.clear();
  }

  resize() {
    const smallest = parseFloat(getComputedStyle(this.list).getPropertyValue("--tile"));
    this.columns = Math.max(1, Math.floor((this.list.clientWidth + GAP) / (smallest + GAP)));
    this.width = (this.list.clientWidth + GAP) / this.columns - GAP;
    this.rowHeight = parseFloat(getComputedStyle(this.list).getPropertyValue("--row")) + GAP;
    this.height = Math.ceil(this.patches.length / this.columns) * this.rowHeight;
    this.list.style.height = `${Math.min(this.height, MOST_PIXELS)}px`;
    this.render();
  }

  // How far the list is scrolled, and how far its rows then are; not the same where it is too high for a browser.
  // Less than 0 where it begins below the window's top.
  get scrolled() {
    const scrolled = -this.list.getBoundingClientRect().top;
    return [scrolled, scrolled > 0 ? scrolled * this.stretch : scrolled];
  }

  get stretch() {
    if (this.height <= MOST_PIXELS) return 1;
    return (this.height - innerHeight) / (MOST_PIXELS - innerHeight);
  }

  render() {
    const [scrolled, offset] = this.scrolled;
    const top = Math.floor(offset / this.rowHeight) - ROWS_AROUND;
    const bottom = Math.ceil((offset + innerHeight) / this.rowHeight) + ROWS_AROUND;
    const first = Math.max(0, top) * this.columns;
    const last = Math.min(this.patches.length, bottom * this.columns);
    for (const [position, tile] of this.tiles) {
      const isKept = position >= first && position < last;
      if ((isKept || tile.contains(document.activeElement)) && this.patches[position] === tile.patch) continue;
      tile.remove();
      this.tiles.delete(position);
    }
    let before = null;
    for (let position = last - 1; position >= first; position--) {
      let tile = this.tiles.get(position);
      if (!tile) {
        tile = this.makeTile(this.patches[position]);
        tile.patch = this.patches[position];
        this.tiles.set(position, tile);
        this.list.insertBefore(tile, before);
      }
      tile.setAttribute("aria-setsize", this.patches.length);
      tile.setAttribute("aria-posinset", position + 1);
      this.place(tile, position, scrolled - offset);
      before = tile;
    }
    this.setTabStop(first);
  }

  place(tile, position, shift) {
    const column = position % this.columns;
    const row = (position - column) / this.columns;
    tile.style.width = `${this.width}px`;
    tile.style.transform = `translate(${column * (this.width + GAP)}px, ${row * this.rowHeight + shift}px)`;
  }

  setTabStop(first) {
    const tiles = [...this.tiles.values()];
    const chosen = tiles.find((tile) => tile.patch === this.active) || this.tiles.get(first);
    for (const tile of tiles) tile.querySelector("a").tabIndex = tile === chosen ? 0 : -1;
  }

  activate(tile) {
    if (!tile) return;
    this.active = tile.patch;
    this.setTabStop(0);
  }

  focus(position) {
    const row = Math.floor(position / this.columns);
    const [scrolled, offset] = this.scrolled;
    const highest = (row + 1) * this.rowHeight - innerHeight;
    const lowest = row * this.rowHeight - this.covered();
    const wanted = Math.min(Math.max(offset, highest), lowest);
    if (wanted !== offset) scrollBy(0, (wanted > 0 ? wanted / this.stretch : wanted) - scrolled);
    this.render();
    this.tiles.get(position)?.querySelector("a").focus({ preventScroll: true });
  }

  // Pixels of the window that the form covers.
  covered() {
    const form = document.querySelector(".filters");
    return getComputedStyle(form).position === "sticky" ? form.offsetHeight : 0;
  }

  onKey(event) {
    const tile = event.target.closest("li");
    if (!tile || event.ctrlKey || event.metaKey || event.altKey) return;
    const position = Number(tile.getAttribute("aria-posinset")) - 1;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns };
    const ends = { Home: 0, End: this.patches.length - 1 };
    const wanted = event.key in steps ? position + steps[event.key] : ends[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    if (wanted >= 0 && wanted < this.patches.length) this.focus(wanted);
  }
}
