/**
 * The own order of a gallery, to be changed: by dragging with the mouse, by a long press and a drag on a touch screen,
 * and by keys. Cells are squares of one size, so that a place is seen at a glance, and only those in sight are there.
 */
import { api } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { each, html } from "../core/html.js";
import { changed } from "../core/live.js";
import { isRightToLeft, messages } from "../core/messages.js";
import { signal } from "../core/signal.js";
import { style } from "../core/styles.js";
import "../parts/empty.js";
import { failed } from "../parts/failed.js";
import { icon } from "../parts/icon.js";
import "../parts/progress.js";
import { change, undoLast } from "../changes/changes.js";
import { sendMoves } from "../changes/galleries.js";
import { scrollAtEdge } from "../selection/gestures.js";
import { placeByKey, places } from "../selection/ranges.js";
import { anchorAt, gapAt, gapOf, inOrder, movesBack, placeOf, reordered } from "./order.js";

const t = await messages("galleries");
const tc = await messages("changes");
await style(import.meta.url, "./arrange.css");

const LEAST = 104; // pixels, the width of a cell
const GAP = 4;
const BEYOND = 400; // pixels that are drawn outside of the window
const LONG = 350; // milliseconds
const STILL = 6; // pixels

/** @typedef {{src: string | null, alt_text: string, filename: string}} Picture */

export class Arrange extends Element {
  static tag = "ig-arrange";

  gallery = signal(/** @type {any} */ (null));
  order = signal(/** @type {string[]} */ ([]));
  state = signal(/** @type {"loading" | "ready" | "failed"} */ ("loading"));
  error = signal(/** @type {unknown} */ (null));
  chosen = signal(/** @type {ReadonlySet<string>} */ (new Set()));
  /** The images that are lifted, and in front of which place they would be dropped. */
  lifted = signal(/** @type {{ids: ReadonlySet<string>, gap: number, isByKey: boolean} | null} */ (null));
  focused = signal(0);
  width = signal(0);
  /** What is in sight, in pixels below the top of the grid. */
  sight = signal({ top: 0, bottom: 0 });
  said = signal("");
  /** @type {Map<string, Picture>} */
  #pictures = new Map();
  /** @type {AbortSignal | null} */
  #ended = null;
  /** @type {{id: string, x: number, y: number, timer: number, isTouch: boolean} | null} */
  #press = null;
  #wasDrag = false;
  /** Where the last range began. */
  #from = 0;
  #pass = 0;

  /** @param {AbortSignal} ended */
  connected(ended) {
    this.#ended = ended;
    const resize = new ResizeObserver(() => this.#measure());
    resize.observe(this);
    ended.addEventListener("abort", () => resize.disconnect());
    const on = { signal: ended };
    addEventListener("scroll", () => this.#measure(), { ...on, passive: true });
    addEventListener("resize", () => this.#measure(), on);
    document.addEventListener("pointermove", this.#move, on);
    document.addEventListener("pointerup", this.#release, on);
    document.addEventListener("pointercancel", this.#leave, on);
    this.addEventListener("touchmove", (event) => this.#isDragging && event.preventDefault(), { ...on, passive: false });
    this.addEventListener("contextmenu", (event) => (this.#press || this.lifted.value) && event.preventDefault(), on);
    changed.addEventListener("gallery-changed", this.#follow, on);
    changed.addEventListener("images-gone", this.#lose, on);
    changed.addEventListener("everything-changed", () => void this.#read(), on);
    void this.#read();
  }

  get #isDragging() {
    return this.lifted.value !== null && !this.lifted.value.isByKey;
  }

  async #read() {
    const pass = (this.#pass += 1);
    try {
      /** @type {string[]} */
      const order = [];
      const query = { fields: "id,src,alt_text,filename", limit: 100 };
      for await (const { data } of api.pages(`/galleries/${this.gallery.value.id}/images`, query, { signal: this.#ended ?? undefined })) {
        for (const { id, ...picture } of data) {
          order.push(id);
          this.#pictures.set(id, picture);
        }
        if (pass !== this.#pass) return;
        if (this.state.value === "loading") this.order.value = [...order];
      }
      this.order.value = order;
      this.state.value = "ready";
    } catch (error) {
      if (this.#ended?.aborted || pass !== this.#pass) return;
      this.error.value = error;
      this.state.value = "failed";
    }
  }

  #follow = (/** @type {Event} */ event) => {
    const { id, change: what } = /** @type {CustomEvent} */ (event).detail;
    if (id === this.gallery.value.id && what === "images") void this.#read();
  };

  #lose = (/** @type {Event} */ event) => {
    const gone = new Set(/** @type {CustomEvent} */ (event).detail.ids);
    this.order.value = this.order.value.filter((id) => !gone.has(id));
  };

  #measure() {
    const box = this.getBoundingClientRect();
    this.width.value = box.width;
    const top = Math.floor(Math.max(0, -box.top - BEYOND) / BEYOND) * BEYOND;
    const bottom = Math.ceil((innerHeight - box.top + BEYOND) / BEYOND) * BEYOND;
    const { top: before, bottom: after } = this.sight.value;
    if (top !== before || bottom !== after) this.sight.value = { top, bottom };
  }

  get #columns() {
    return Math.max(2, Math.floor((this.width.value + GAP) / (LEAST + GAP)));
  }

  get #size() {
    return (this.width.value + GAP) / this.#columns - GAP;
  }

  render() {
    if (this.state.value === "failed") {
      return failed(this.error.value, () => this.#again(), { title: t("failed") });
    }
    const order = this.order.value;
    const columns = this.#columns;
    const step = this.#size + GAP;
    const { top, bottom } = this.sight.value;
    const first = Math.max(0, Math.floor(top / step) * columns);
    const last = Math.min(order.length, Math.ceil(bottom / step) * columns);
    const lifted = this.lifted.value;
    const height = Math.ceil(order.length / columns) * step;
    const shown = new Set(places(first, last - 1).concat(last > first ? [] : []));
    shown.add(Math.min(this.focused.value, order.length - 1));
    const visible = [...shown].filter((index) => index >= 0 && index < order.length).sort((one, other) => one - other);
    return html`<p class="soft small help" id="arrange-help">${t("arrange.help")}</p>
      <div
        class="places ${lifted ? "lifting" : ""}"
        role="listbox"
        aria-multiselectable="true"
        aria-label=${t("arrange")}
        aria-describedby="arrange-help"
        style=${{ "--cell": `${this.#size}px`, blockSize: `${height}px` }}
        @keydown=${this.#key}
        @pointerdown=${this.#down}
        @click=${this.#click}
        @focusin=${this.#focused}
        @dragstart=${(/** @type {Event} */ event) => event.preventDefault()}
      >
        ${each(
          visible.map((index) => ({ id: /** @type {string} */ (order[index]), index })),
          ({ id }) => id,
          ({ id, index }) => this.#cell(id, index, order.length),
        )}
        ${lifted && this.#mark(lifted.gap, columns, step)}
      </div>
      ${this.state.value === "loading" && html`<ig-progress .label=${t("loading")}></ig-progress>`}
      ${lifted && !lifted.isByKey && this.#ghost(lifted.ids)}
      <p class="seen-by-readers" role="status">${this.said.value}</p>`;
  }

  /**
   * @param {string} id
   * @param {number} index
   * @param {number} count
   */
  #cell(id, index, count) {
    const picture = this.#pictures.get(id);
    const { x, y } = this.#pointOf(index);
    const isLifted = this.lifted.value?.ids.has(id) ?? false;
    const isChosen = this.chosen.value.has(id);
    return html`<div
      class="place ${isLifted ? "lifted" : ""}"
      role="option"
      aria-selected=${String(isChosen)}
      aria-posinset=${index + 1}
      aria-setsize=${count}
      aria-label=${picture?.alt_text || picture?.filename || ""}
      tabindex=${index === this.focused.value ? "0" : "-1"}
      data-id=${id}
      data-index=${index}
      style=${{ translate: `${x}px ${y}px` }}
    >
      ${picture?.src ? html`<img src=${picture.src} alt="" decoding="async" draggable="false" />` : icon("image")}
      <span class="number">${index + 1}</span>
      ${isChosen && html`<span class="mark">${icon("check")}</span>`}
    </div>`;
  }

  /** @param {number} index Where a cell begins, as the page is read. */
  #pointOf(index) {
    const columns = this.#columns;
    const step = this.#size + GAP;
    const x = (index % columns) * step;
    return { x: isRightToLeft() ? -x : x, y: Math.floor(index / columns) * step };
  }

  /**
   * @param {number} gap
   * @param {number} columns
   * @param {number} step
   */
  #mark(gap, columns, step) {
    const isAtEnd = gap > 0 && gap % columns === 0 && gap === this.order.value.length;
    const { x, y } = this.#pointOf(isAtEnd ? gap - 1 : gap);
    const turn = isRightToLeft() ? -1 : 1;
    return html`<div class="here" style=${{ translate: `${x + turn * (isAtEnd ? step : 0) - turn * GAP}px ${y}px` }}></div>`;
  }

  /** @param {ReadonlySet<string>} ids */
  #ghost(ids) {
    const [first] = inOrder(this.order.value, ids);
    const src = first && this.#pictures.get(first)?.src;
    const { x, y } = this.#press ?? { x: 0, y: 0 };
    return html`<div class="ghost" aria-hidden="true" style=${{ translate: `${x}px ${y}px` }}>
      ${src && html`<img src=${src} alt="" />`}${ids.size > 1 && html`<b class="number">${ids.size}</b>`}
    </div>`;
  }

  #again() {
    this.state.value = "loading";
    void this.#read();
  }

  // By pointer.

  #down = (/** @type {PointerEvent} */ event) => {
    const cell = cellOf(event.target);
    this.#wasDrag = false;
    if (!cell || event.button !== 0 || !event.isPrimary || this.state.value !== "ready") return;
    const isTouch = event.pointerType !== "mouse";
    const timer = isTouch ? window.setTimeout(() => this.#lift(), LONG) : 0;
    this.#press = { id: /** @type {string} */ (cell.dataset.id), x: event.clientX, y: event.clientY, timer, isTouch };
  };

  #lift() {
    const press = this.#press;
    if (!press) return;
    if (press.isTouch) navigator.vibrate?.(12);
    this.#wasDrag = true;
    const ids = this.chosen.value.has(press.id) ? this.chosen.value : new Set([press.id]);
    this.lifted.value = { ids, gap: this.order.value.indexOf(press.id), isByKey: false };
    this.#scroll();
  }

  #move = (/** @type {PointerEvent} */ event) => {
    const press = this.#press;
    if (!press) return;
    const moved = Math.hypot(event.clientX - press.x, event.clientY - press.y);
    if (!this.#isDragging) {
      if (moved <= STILL) return;
      if (press.isTouch) return this.#leave(); // it scrolls
      this.#lift();
    }
    press.x = event.clientX;
    press.y = event.clientY;
    this.#aim();
    const ghost = /** @type {HTMLElement | null} */ (this.querySelector(".ghost"));
    if (ghost) ghost.style.translate = `${press.x}px ${press.y}px`;
  };

  #aim() {
    const [press, lifted] = [this.#press, this.lifted.value];
    if (!press || !lifted) return;
    const boxes = [.../** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll(".place"))].map((cell) => {
      const { left, right, top, bottom } = cell.getBoundingClientRect();
      return { index: Number(cell.dataset.index), left, right, top, bottom };
    });
    const gap = gapAt(boxes, press, isRightToLeft());
    if (gap !== null && gap !== lifted.gap) this.lifted.value = { ...lifted, gap };
  }

  #scroll() {
    if (!this.#isDragging || !this.#press) return;
    if (scrollAtEdge(this.#press.y)) this.#aim();
    requestAnimationFrame(() => this.#scroll());
  }

  #release = () => {
    const lifted = this.lifted.value;
    clearTimeout(this.#press?.timer);
    this.#press = null;
    if (lifted && !lifted.isByKey) this.#drop();
  };

  #leave = () => {
    clearTimeout(this.#press?.timer);
    this.#press = null;
    if (this.#isDragging) this.lifted.value = null;
  };

  #focused = (/** @type {FocusEvent} */ event) => {
    const cell = cellOf(event.target);
    if (cell) this.focused.value = Number(cell.dataset.index);
  };

  #click = (/** @type {MouseEvent} */ event) => {
    const cell = cellOf(event.target);
    if (!cell || this.#wasDrag) return;
    cell.focus();
    this.#choose(Number(cell.dataset.index), event.shiftKey);
  };

  /**
   * @param {number} index
   * @param {boolean} isRange
   */
  #choose(index, isRange) {
    const order = this.order.value;
    const chosen = new Set(this.chosen.value);
    const ids = isRange ? places(this.#from, index).map((at) => /** @type {string} */ (order[at])) : [/** @type {string} */ (order[index])];
    if (!isRange) this.#from = index;
    if (!isRange && chosen.has(/** @type {string} */ (ids[0]))) chosen.delete(/** @type {string} */ (ids[0]));
    else for (const id of ids) chosen.add(id);
    this.chosen.value = chosen;
  }

  // By keys.

  #key = (/** @type {KeyboardEvent} */ event) => {
    const lifted = this.lifted.value;
    const count = this.order.value.length;
    if (event.key === "z" && (event.ctrlKey || event.metaKey)) {
      // In a list box keys are its own.
      event.preventDefault();
      return void undoLast();
    }
    if (event.altKey || event.metaKey || event.ctrlKey || !count) return;
    if (event.key === " " || event.key === "Enter") {
      if (lifted) this.#drop();
      else this.#liftByKey();
    } else if (event.key === "Escape" && lifted) {
      this.lifted.value = null;
      this.said.value = t("arrange.left");
    } else if (event.key === "Escape" && this.chosen.value.size) {
      this.chosen.value = new Set();
    } else if (event.key === "x") {
      this.#choose(this.focused.value, event.shiftKey);
    } else if (lifted) {
      const places = count - lifted.ids.size + 1;
      const place = placeByKey(event.key, placeOf(this.order.value, lifted.ids, lifted.gap), this.#grid(places));
      if (place === null) return;
      const gap = gapOf(this.order.value, lifted.ids, place);
      this.lifted.value = { ...lifted, gap };
      this.said.value = t("arrange.at", { place: place + 1, all: count });
      this.#show(Math.min(gap, count - 1));
    } else {
      const next = placeByKey(event.key, this.focused.value, this.#grid(count));
      if (next === null) return;
      if (event.shiftKey) {
        if (!this.chosen.value.size) this.#choose(this.focused.value, false);
        this.#choose(next, true);
      }
      this.#focus(next);
    }
    event.preventDefault();
    event.stopPropagation();
  };

  /** @param {number} count */
  #grid(count) {
    return { count, columns: this.#columns, isRightToLeft: isRightToLeft() };
  }

  #liftByKey() {
    const id = this.order.value[this.focused.value];
    if (id === undefined || this.state.value !== "ready") return;
    const ids = this.chosen.value.has(id) ? this.chosen.value : new Set([id]);
    this.lifted.value = { ids, gap: this.focused.value, isByKey: true };
    this.said.value = t("arrange.lifted", { count: ids.size, place: this.focused.value + 1, all: this.order.value.length });
  }

  /** @param {number} index */
  #focus(index) {
    this.focused.value = index;
    this.#show(index);
    queueMicrotask(() => this.#cellAt(index)?.focus({ preventScroll: true }));
  }

  /** @param {number} index */
  #cellAt(index) {
    return /** @type {HTMLElement | null} */ (this.querySelector(`[data-index="${index}"]`));
  }

  /** Scroll so that the cell can be seen. @param {number} index */
  #show(index) {
    const box = /** @type {HTMLElement} */ (this.querySelector(".places")).getBoundingClientRect();
    const top = box.top + this.#pointOf(index).y;
    const bottom = top + this.#size;
    if (top < 80) scrollBy({ top: top - 80, behavior: "instant" });
    else if (bottom > innerHeight - 40) scrollBy({ top: bottom - innerHeight + 40, behavior: "instant" });
  }

  // What comes of it.

  #drop() {
    const lifted = this.lifted.value;
    this.lifted.value = null;
    if (!lifted) return;
    const before = this.order.value;
    const anchor = anchorAt(before, lifted.ids, lifted.gap);
    const moved = inOrder(before, lifted.ids);
    if (!anchor) {
      this.said.value = t("arrange.left");
      return;
    }
    const after = reordered(before, moved, anchor);
    const place = after.indexOf(/** @type {string} */ (moved[0]));
    const { id } = this.gallery.value;
    void change({
      apply: () => (this.order.value = after),
      undo: () => {
        this.order.value = before;
        void this.#read(); // what is so by now
      },
      send: () => sendMoves(id, [{ ids: moved, anchor }]),
      said: tc("move.done", { count: moved.length }),
      back: () =>
        change({
          apply: () => (this.order.value = before),
          undo: () => void this.#read(),
          send: () => sendMoves(id, movesBack(before, lifted.ids)),
        }),
    });
    this.said.value = t("arrange.dropped", { place: place + 1, all: after.length });
    if (lifted.isByKey) this.#focus(place);
  }
}

/** @param {EventTarget | null} target */
const cellOf = (target) => /** @type {HTMLElement | null} */ (target instanceof globalThis.Element ? target.closest(".place") : null);

define(Arrange);
