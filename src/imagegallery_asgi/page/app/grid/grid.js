/**
 * `<ig-grid>`: a list of any length, of which only what is to be seen is in the document.
 *
 * The window scrolls. The grid is a sheet as tall as the list, or as browsers can hold (`track.js`), with a plane on it
 * on which the cells lie. What happens is: the list changes or the window, then it is arranged; one scrolls, then it is
 * drawn; one rests, then the place is kept with this entry of the history.
 */
import { Element, define } from "../core/element.js";
import { formatMonth } from "../core/formats.js";
import { isRightToLeft, messages } from "../core/messages.js";
import { changed } from "../core/live.js";
import { ground, place, remember } from "../core/router.js";
import { sentence } from "../core/sentences.js";
import { effect, signal, untracked } from "../core/signal.js";
import { style } from "../core/styles.js";
import { Arrangement } from "./arrangement.js";
import { Cell } from "./cell.js";
import { shown } from "./images.js";
import { sizeFor } from "./layout.js";
import { Track } from "./track.js";

/** What lists hear of (`core/live.js`). */
const NEWS = ["image-changed", "images-gone", "images-arrived", "gallery-changed", "trash-changed", "everything-changed"];
/** What is drawn until it is known what there is. @type {import("./arrangement.js").Section[]} */
const OPENING = [{ key: "opening", month: null, count: 60, columns: null, goesOn: false, first: 0 }];

/**
 * @typedef {import("./arrangement.js").Anchor} Anchor
 * @typedef {import("./arrangement.js").Spot} Spot
 * @typedef {import("./arrangement.js").Section} Section
 * @typedef {import("./images.js").ImageSource} ImageSource
 */

const t = await messages("grid");
await style(import.meta.url, "./grid.css");

/** How much is drawn before and after what is seen, in windows. */
const AROUND = 0.6;
/** After so long without scrolling it is quiet, in milliseconds; and after so long it is not a leap past. */
const QUIET = 200;
const DWELL = 50;
/** How tall the title of a month is. */
const HEAD = 56;
/** Cells are positioned from an origin near by, as browsers round large numbers. */
const NEAR = 300_000;

export class Grid extends Element {
  static tag = "ig-grid";

  source = signal(/** @type {ImageSource | null} */ (null));
  layout = signal(/** @type {import("./layout.js").Layout} */ ("rows"));
  /** Whether images can be chosen (`selection/`). */
  selectable = signal(false);
  /** The name by which the history keeps its place. */
  name = signal("grid");
  /** The path that an image leads to. */
  pathOf = signal((/** @type {string} */ id) => `/images/${id}`);
  /** Where one is: the place, and how tall all is. For the scrubber. */
  at = signal({ place: 0, height: 0, view: 0 });

  arrangement = new Arrangement();
  track = new Track();
  #sheet = made("div", "sheet");
  #plane = made("div", "plane");
  #origin = 0;
  /** Counts the planes: what lies on another one is another element, as browsers see it. */
  #planes = 0;
  /** What is in the document, by its key. @type {Map<string, Shown>} */
  #live = new Map();
  /** Cells that are not used. @type {Cell[]} */
  #spare = [];
  #frame = 0;
  #quiet = 0;
  #dwell = 0;
  #needed = "";
  #blurring = 0;
  /** The image that the keys are at. @type {string | null} */
  #current = null;
  /** The place to come back to, until it is reached. @type {Anchor | null} */
  #restoring = null;
  #here = "";
  #isTouched = false;
  /** How much of the window is below the bar at its top. */
  #covered = 0;
  /** @type {(id: string) => boolean} */
  #isChosen = () => false;

  /** @param {AbortSignal} ended */
  connected(ended) {
    this.#sheet.append(this.#plane);
    this.replaceChildren(this.#sheet);
    const stops = [
      effect(() => this.#follow()),
      effect(() => this.#arrange()),
      effect(() => this.#accompany(place.value)),
      effect(() => this.selectable.value && void this.#choose(ended)),
    ];
    this.#listen(ended);
    const observer = new ResizeObserver(() => this.#arrange());
    observer.observe(this);
    ended.addEventListener("abort", () => {
      stops.forEach((stop) => stop());
      observer.disconnect();
      cancelAnimationFrame(this.#frame);
      for (const timer of [this.#quiet, this.#dwell]) clearTimeout(timer);
      if (shown.value === this.source.value) shown.value = null;
    });
  }

  /** @param {AbortSignal} signal */
  #listen(signal) {
    const quick = { passive: true, signal };
    addEventListener("scroll", () => this.#scrolled(), quick);
    addEventListener("resize", () => this.#arrange(), quick);
    addEventListener("online", () => void this.source.value?.retry(), quick);
    for (const type of ["wheel", "touchmove", "keydown"])
      addEventListener(type, () => (this.#restoring = null), quick);
    addEventListener("touchstart", () => (this.#isTouched = true), quick);
    for (const type of ["touchend", "touchcancel"])
      addEventListener(type, (event) => (this.#isTouched = /** @type {TouchEvent} */ (event).touches.length > 0), quick);
    for (const type of NEWS)
      changed.addEventListener(type, (event) => this.source.value?.hear(type, /** @type {CustomEvent} */ (event).detail), { signal });
    // Before the router leaves this entry of the history.
    document.addEventListener("click", () => this.#keep(), { capture: true, signal });
    this.addEventListener("click", (event) => this.#click(event), { signal });
    this.addEventListener("keydown", (event) => this.#key(event), { signal });
    this.addEventListener("focusin", (event) => this.#focused(event), { signal });
  }

  /** Another source: it is read, and its pictures are shown as they come. */
  #follow() {
    const source = this.source.value;
    if (!source) return;
    untracked(() => {
      shown.value = source;
      this.track = new Track();
      this.#here = ground.value.path + ground.value.query;
      this.#restoring = ground.value.state[this.name.value] ?? null;
      if (!this.#restoring) scrollTo({ top: 0, behavior: "instant" });
      void source.open();
      for (const type of ["arrived", "outdated"])
        source.pictures.addEventListener(type, () => source === this.source.value && this.#schedule());
    });
  }

  /**
   * Let people choose images: that comes when there is something to choose from.
   * @param {AbortSignal} ended
   */
  async #choose(ended) {
    const [{ choose }, { selection }, { log }] = await Promise.all([
      import("../selection/gestures.js"),
      import("../selection/selection.js"),
      import("../changes/changes.js"),
    ]);
    if (ended.aborted) return;
    const source = () => /** @type {ImageSource} */ (this.source.value);
    choose(this, { between: (from, to) => source().between(from, to), all: () => source().all() }, ended);
    const stop = effect(() => {
      const chosen = selection.chosen.value;
      this.#isChosen = (id) => chosen.has(id);
      for (const { cell } of this.#live.values()) cell?.choose(chosen.has(cell.id));
      const list = this.source.value;
      if (list) list.pictures.over = (id) => log.over(id);
    });
    ended.addEventListener("abort", stop);
  }

  /** Lay out what there is for this window, and stay where one is. */
  #arrange() {
    const source = this.source.value;
    const layout = this.layout.value;
    void [source?.changes.value, this.selectable.value];
    const width = this.#sheet.clientWidth;
    if (!source || !width) return;
    const anchor = this.#restoring ?? this.#anchor();
    const gap = Number.parseFloat(getComputedStyle(this).getPropertyValue("--gap-images")) || 4;
    const size = sizeFor(width) * (layout === "masonry" ? 1.3 : 1);
    this.arrangement.arrange(source.isReady.value || source.sections.length ? source.sections : OPENING, { layout, width, size, gap, head: HEAD });
    this.track.height = this.arrangement.height;
    this.track.view = innerHeight;
    this.#covered = document.querySelector("ig-shell > .bar")?.clientHeight ?? 0;
    this.#sheet.style.blockSize = `${this.track.sheet}px`;
    if (this.#restoring) void this.#restore(this.#restoring, source);
    else {
      const place = this.arrangement.placeOf(anchor);
      const by = place === null || this.track.place <= 0 ? 0 : place - this.track.place;
      // The plane stays where it is, and so does what lies on it.
      this.track.shift(by);
      this.#origin += by;
    }
    for (const each of this.#live.values()) each.isPlaced = false;
    this.#draw();
    this.#rest();
  }

  /**
   * Come back to a place, which may have to be read first.
   * @param {Anchor} anchor
   * @param {ImageSource} source
   */
  async #restore(anchor, source) {
    const section = source.sections.find(({ key }) => key === anchor.key);
    if (!source.isReady.value && !source.sections.length) return;
    const place = this.arrangement.placeOf(anchor);
    if (place !== null) this.go(place);
    if (!section || anchor.id === null || section.columns?.id.includes(anchor.id)) this.#restoring = null;
    else {
      await source.idAt(section.first + anchor.index).catch(() => null);
      const now = source.sections.find(({ key }) => key === anchor.key);
      if (!now?.columns?.id.includes(anchor.id)) this.#restoring = null; // it is gone; its neighbours are there
      this.#schedule(true);
    }
  }

  /** Go to a place of the list. @param {number} place */
  go(place) {
    const top = this.#sheet.getBoundingClientRect().top + scrollY;
    scrollTo({ top: top + this.track.go(place), behavior: "instant" });
    this.#schedule();
  }

  /** See that an image is to be seen, where the list is known. @param {string} id */
  reveal(id) {
    const spot = this.source.value?.find(id);
    const box = spot && this.arrangement.box(spot);
    if (!box) return;
    this.#current = id;
    const { place, view } = this.track;
    const bar = this.#covered;
    if (box.y >= place + bar && box.y + box.height <= place + view) this.#schedule();
    else this.go(Math.max(box.y - Math.max((view - box.height + bar) / 2, bar), -bar));
  }

  /**
   * While the viewer lies over the grid, this goes where the viewer is, so that it closes over the image it showed.
   * @param {import("../core/router.js").Place} there
   */
  #accompany({ route, params }) {
    const { id } = params;
    if (route?.over !== undefined && id !== undefined) untracked(() => this.reveal(id));
  }

  #scrolled() {
    this.#schedule();
    this.#rest();
  }

  #isOutdated = false;

  /** Draw before the window is painted again. @param {boolean} [isArranged] Whether it has to be arranged anew. */
  #schedule(isArranged = false) {
    this.#isOutdated ||= isArranged;
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.#isOutdated) {
        this.#isOutdated = false;
        this.#arrange();
      } else this.#draw();
    });
  }

  /** When it is quiet, the scrollbar comes to where it belongs, and the place is kept. */
  #rest() {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => {
      if (this.#isTouched) return this.#rest();
      if (this.track.settled() !== null) this.go(this.track.place);
      this.#keep();
      this.source.value?.forgetFarFrom(this.arrangement.sectionAt(this.track.place));
    }, QUIET);
  }

  /** What the window shows first; nothing at the start, where what is new comes into it. */
  #anchor() {
    const { place, view } = this.track;
    return place > 0 ? this.arrangement.anchorAt(place, view - this.#covered) : null;
  }

  #keep() {
    if (this.#restoring || this.#here !== ground.value.path + ground.value.query) return;
    const anchor = this.#anchor();
    if (JSON.stringify(anchor) !== JSON.stringify(ground.value.state[this.name.value] ?? null))
      remember({ [this.name.value]: anchor });
  }

  /** Put into the document what is to be seen, and take out what is not. */
  #draw() {
    const { arrangement, track } = this;
    const source = this.source.value;
    if (!source) return;
    const bar = -this.#sheet.getBoundingClientRect().top;
    if (Math.abs(bar - track.bar) > 0.5) track.moved(bar);
    if (track.isTight && !this.#isTouched) return this.go(track.place);
    const around = track.view * AROUND;
    const [top, bottom] = [track.place - around, track.place + track.view + around];
    if (Math.abs(track.place - this.#origin) > NEAR) {
      this.#origin = Math.round(track.place);
      this.#planes += 1;
      for (const each of this.#live.values()) each.isPlaced = false;
    }
    this.#plane.style.insetBlockStart = `${Math.round(this.#origin + track.offset)}px`;
    const wanted = this.#wanted(source, top, bottom);
    this.#replace(wanted);
    this.#ask(source, wanted);
    this.at.value = { place: track.place, height: track.height, view: track.view };
  }

  /**
   * What is to be in the document, in its order.
   * @param {ImageSource} source
   * @param {number} top
   * @param {number} bottom
   */
  #wanted(source, top, bottom) {
    /** @type {Shown[]} */
    const wanted = [];
    const [first, end] = this.arrangement.between(top, bottom);
    for (let number = first; number < end; number += 1) {
      const section = /** @type {Section} */ (this.arrangement.sections[number]);
      const start = this.arrangement.bodyTop(number);
      if (section.month !== null && start > top) wanted.push(this.#title(section, start - HEAD));
      if (section.columns) this.#cells(source, number, section, top, bottom, wanted);
      else wanted.push(this.#gap(source, section, Math.max(start, top), Math.min(this.arrangement.bottom(number), bottom)));
    }
    return wanted;
  }

  /**
   * @param {ImageSource} source
   * @param {number} number
   * @param {Section} section
   * @param {number} top
   * @param {number} bottom
   * @param {Shown[]} wanted
   */
  #cells(source, number, section, top, bottom, wanted) {
    const columns = /** @type {import("./arrangement.js").Columns} */ (section.columns);
    let [from, to] = this.arrangement.within(number, top, bottom);
    const held = this.#held(number, columns);
    if (held !== null && held < from) wanted.push(this.#cell(source, number, columns, held));
    for (let index = from; index < to; index += 1) {
      const box = /** @type {import("./cell.js").Box} */ (this.arrangement.box({ section: number, index }));
      if (box.y + box.height > top) wanted.push(this.#cell(source, number, columns, index, box));
    }
    if (held !== null && held >= to) wanted.push(this.#cell(source, number, columns, held));
  }

  /**
   * What has the focus stays in the document, wherever one scrolls.
   * @param {number} number
   * @param {import("./arrangement.js").Columns} columns
   */
  #held(number, columns) {
    const focused = this.#current !== null && this.#live.get(this.#current)?.cell;
    if (!focused || !focused.element.contains(document.activeElement)) return null;
    const index = columns.id.indexOf(/** @type {string} */ (this.#current));
    return index < 0 || number < 0 ? null : index;
  }

  /**
   * @param {ImageSource} source
   * @param {number} section
   * @param {import("./arrangement.js").Columns} columns
   * @param {number} index
   * @param {import("./cell.js").Box | null} [known]
   * @returns {Shown}
   */
  #cell(source, section, columns, index, known) {
    const id = /** @type {string} */ (columns.id[index]);
    let each = this.#live.get(id);
    const isSelectable = this.selectable.value;
    if (!each?.cell) {
      const cell = this.#spare.pop() ?? this.#newCell();
      const [ratio, blurhash, taken_at] = [columns.ratio[index] ?? 1, columns.blurhash[index] ?? null, columns.taken_at[index] ?? ""];
      cell.take({ id, ratio, blurhash, taken_at }, this.pathOf.value(id), isSelectable);
      cell.choose(this.#isChosen(id));
      each = { key: id, element: cell.element, cell, isPlaced: false };
    }
    const cell = /** @type {Cell} */ (each.cell);
    if (!each.isPlaced) {
      const box = known ?? this.arrangement.box({ section, index });
      if (box) cell.put(box, this.#origin);
      each.isPlaced = true;
    }
    cell.show(source.pictures.get(id));
    return each;
  }

  #newCell() {
    const cell = new Cell();
    cell.onfailed = (id) => this.source.value?.pictures.change([id]);
    return cell;
  }

  /**
   * @param {Section} section
   * @param {number} y
   * @returns {Shown}
   */
  #title(section, y) {
    const key = `title ${section.key} ${this.#planes}`;
    const each = this.#live.get(key) ?? { key, element: made("h2", "month"), isPlaced: false };
    each.element.textContent = formatMonth(/** @type {string} */ (section.month));
    each.element.style.translate = `0 ${y - this.#origin}px`;
    return each;
  }

  /**
   * Where images are that are not known yet: empty places, or why there are none.
   * @param {ImageSource} source
   * @param {Section} section
   * @param {number} top
   * @param {number} bottom
   * @returns {Shown}
   */
  #gap(source, section, top, bottom) {
    const error = source.failures.get(section.key);
    const key = `${error ? "failed" : "gap"} ${section.key} ${this.#planes}`;
    const each = this.#live.get(key) ?? { key, element: error ? this.#failure(error) : made("div", "gap"), isPlaced: false };
    each.element.style.translate = `0 ${top - this.#origin}px`;
    each.element.style.blockSize = `${bottom - top}px`;
    each.element.style.setProperty("--cell", `${this.arrangement.look.size}px`);
    return each;
  }

  /** @param {unknown} error */
  #failure(error) {
    const element = made("div", "gap failed");
    const text = made("p");
    text.textContent = sentence(error);
    const button = made("button", "button");
    button.textContent = t("retry");
    button.addEventListener("click", () => void this.source.value?.retry());
    element.append(text, button);
    return element;
  }

  /** @param {Shown[]} wanted */
  #replace(wanted) {
    const next = new Map(wanted.map((each) => [each.key, each]));
    for (const [key, { element, cell }] of this.#live) {
      if (next.has(key)) continue;
      element.remove();
      if (cell && this.#spare.length < 80) this.#spare.push(cell);
    }
    let before = this.#plane.firstChild;
    for (const { element } of wanted) {
      if (element === before) before = before.nextSibling;
      else this.#plane.insertBefore(element, before);
    }
    this.#live = next;
    const isKnown = this.#current !== null && next.get(this.#current)?.cell;
    const current = isKnown ? this.#current : (this.#firstSeen()?.key ?? null);
    for (const { key, cell } of next.values()) cell?.reach(key === current);
  }

  #firstSeen() {
    const top = this.track.place + this.#covered - this.#origin;
    for (const each of this.#live.values()) if (each.cell && each.cell.top >= top - 1) return each;
    return null;
  }

  /**
   * Ask for what is missing, when one does not only pass by.
   * @param {ImageSource} source
   * @param {Shown[]} wanted
   */
  #ask(source, wanted) {
    const { place, view } = this.track;
    const [first, end] = this.arrangement.between(place - view, place + 2 * view);
    const ids = wanted.flatMap(({ cell }) => (cell ? [cell.id] : []));
    const needed = `${source.changes.value} ${first} ${end} ${ids[0]} ${ids.at(-1)} ${ids.length}`;
    const isMissing = ids.some((id) => !source.pictures.get(id));
    if (needed === this.#needed && !isMissing) return;
    this.#needed = needed;
    source.pictures.want(ids);
    clearTimeout(this.#dwell);
    if (this.arrangement.sections === OPENING) return;
    const read = () => source.need(this.arrangement.sections.slice(first, end));
    if (this.arrangement.sections.slice(first, end).every((section) => section.columns === null)) this.#dwell = setTimeout(read, DWELL);
    else read();
    if (!this.#blurring) this.#blurring = soon((deadline) => this.#blur(deadline));
  }

  /** @param {() => number} left How many milliseconds there are. */
  #blur(left) {
    this.#blurring = 0;
    for (const { cell } of this.#live.values()) {
      if (left() < 2) {
        this.#blurring = soon((deadline) => this.#blur(deadline));
        return;
      }
      cell?.blur();
    }
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const cell = cellOf(event.target);
    if (!cell || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    if (!(/** @type {HTMLElement} */ (event.target).closest("a"))) return;
    const id = /** @type {string} */ (cell.dataset.id);
    const source = this.source.value;
    if (!this.emit("open", { id, index: source?.indexOf(id) ?? 0, source, element: cell })) event.preventDefault();
  }

  /** @param {FocusEvent} event */
  #focused(event) {
    const cell = cellOf(event.target);
    if (cell) this.#current = cell.dataset.id ?? null;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const id = cellOf(event.target)?.dataset.id;
    const source = this.source.value;
    const spot = id && source?.find(id);
    if (!source || !spot || event.altKey || event.ctrlKey || event.metaKey) return;
    const next = this.#nextBy(event.key, spot, source);
    if (next === null) return;
    event.preventDefault();
    void this.#focusAt(next, source);
  }

  /**
   * The number of the image that a key leads to.
   * @param {string} key
   * @param {Spot} spot
   * @param {ImageSource} source
   */
  #nextBy(key, spot, source) {
    const { first = 0, count = 0 } = source.sections[spot.section] ?? {};
    const here = first + spot.index;
    const [back, on] = isRightToLeft() ? ["ArrowRight", "ArrowLeft"] : ["ArrowLeft", "ArrowRight"];
    const vertically = (/** @type {-1 | 1} */ step, /** @type {number} */ else_) => {
      const found = this.arrangement.vertically(spot, step);
      return found ? first + found.index : else_;
    };
    switch (key) {
      case on:
        return here + 1;
      case back:
        return Math.max(here - 1, 0);
      case "ArrowDown":
        return vertically(1, first + count);
      case "ArrowUp":
        return vertically(-1, Math.max(first - 1, 0));
      case "Home":
        return 0;
      case "End":
        return source.sections.reduce((sum, section) => sum + section.count, 0) - 1;
      default:
        return null;
    }
  }

  /**
   * @param {number} index
   * @param {ImageSource} source
   */
  async #focusAt(index, source) {
    const id = await source.idAt(index).catch(() => null);
    if (id === null || source !== this.source.value) return;
    this.#isOutdated = false;
    this.#arrange();
    this.reveal(id);
    this.#draw();
    this.#live.get(id)?.cell?.link.focus({ preventScroll: true });
  }
}

/** @typedef {{key: string, element: HTMLElement, cell?: Cell, isPlaced: boolean}} Shown */

/**
 * @param {string} tag
 * @param {string} [name]
 */
function made(tag, name = "") {
  const element = document.createElement(tag);
  element.className = name;
  return element;
}

/** @param {EventTarget | null} target */
const cellOf = (target) => /** @type {HTMLElement | null} */ (target instanceof window.Element ? target.closest("[data-id]") : null);

/**
 * Do something when the browser has time.
 * @param {(left: () => number) => void} run
 */
function soon(run) {
  if ("requestIdleCallback" in globalThis) return requestIdleCallback((deadline) => run(() => deadline.timeRemaining()), { timeout: 400 });
  const until = performance.now() + 8;
  return setTimeout(() => run(() => until - performance.now()), 1);
}

define(Grid);
