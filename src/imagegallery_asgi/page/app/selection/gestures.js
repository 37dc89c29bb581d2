/**
 * How people choose images of a grid: by its check marks, with Shift for all from the last one, by a long press and a
 * drag on a touch screen, and by keys: `x`, Shift with the arrows, Ctrl+A, Escape. Once something is chosen, a click
 * chooses, too.
 *
 * A grid has cells with `data-id` and shows only a few of them, so what lies between two images, and all of them, its
 * list tells.
 *
 * @typedef {object} Chosen
 * @property {(from: string, to: string) => Promise<string[]>} between All ids from one to another, either way.
 * @property {() => Promise<string[] | null>} all The ids of all, also of what is not loaded; null: that was told.
 */
import { messages } from "../core/messages.js";
import { isFree, useKeys } from "../shortcuts/keys.js";
import { selection } from "./selection.js";

const t = await messages("selection");

const LONG = 450; // milliseconds
const STILL = 10; // pixels that a finger may tremble
const EDGE = 72; // pixels, where a drag scrolls

/**
 * @param {HTMLElement} grid
 * @param {Chosen} list
 * @param {AbortSignal} ended
 */
export function choose(grid, list, ended) {
  const gestures = new Gestures(grid, list);
  const on = (/** @type {string} */ type, /** @type {(event: any) => void} */ run, options = {}) =>
    grid.addEventListener(type, run, { signal: ended, ...options });
  on("click", gestures.click, { capture: true });
  on("keydown", gestures.key, { capture: true });
  on("focusin", gestures.focus);
  on("pointerdown", gestures.press);
  on("contextmenu", gestures.menu);
  // Scrolling can only be held back by a listener that says so beforehand.
  on("touchmove", gestures.touch, { passive: false });
  document.addEventListener("keyup", gestures.keyUp, { signal: ended });
  const keys = [
    { keys: ["x"], says: t("keys.one") },
    { keys: ["Shift+ArrowRight", "Shift+ArrowDown"], says: t("keys.range") },
    { keys: ["Ctrl+a"], says: t("keys.all") },
    { keys: ["Escape"], says: t("keys.none") },
  ];
  useKeys(t("keys"), keys, ended);
  ended.addEventListener("abort", gestures.release);
}

class Gestures {
  /** The press that is or becomes a drag. @type {{id: string, x: number, y: number, timer: number, isDrag: boolean} | null} */
  #press = null;
  #extends = false;
  #wasDrag = false;
  /** What the drag has come to. @type {string | null} */
  #reached = null;
  #pass = 0;
  /** @type {AbortController | null} */
  #drag = null;

  /**
   * @param {HTMLElement} grid
   * @param {Chosen} list
   */
  constructor(grid, list) {
    this.grid = grid;
    this.list = list;
  }

  /** @param {EventTarget | null} target */
  #idOf(target) {
    const cell = target instanceof Element ? target.closest("[data-id]") : null;
    return cell && this.grid.contains(cell) ? /** @type {HTMLElement} */ (cell).dataset.id ?? null : null;
  }

  /** @param {MouseEvent} event */
  click = (event) => {
    const id = this.#idOf(event.target);
    if (id === null || event.button !== 0) return;
    const isMark = event.target instanceof Element && event.target.closest("[data-select]") !== null;
    if (this.#wasDrag) {
      this.#wasDrag = false;
      return taken(event);
    }
    if (event.shiftKey && selection.anchor !== null) void this.#rangeTo(id);
    else if (isMark || event.ctrlKey || event.metaKey || selection.isActive.value) selection.toggle(id);
    else return;
    taken(event);
  };

  /** @param {KeyboardEvent} event */
  key = (event) => {
    if (event.altKey || !isFree(event)) return;
    const id = this.#idOf(event.target);
    const isCommand = event.ctrlKey || event.metaKey;
    if (isCommand && event.key.toLowerCase() === "a" && !event.shiftKey) {
      event.preventDefault();
      void this.all();
    } else if (event.key === "Escape" && selection.isActive.value) {
      taken(event);
      selection.clear();
    } else if (id === null || isCommand) {
      return;
    } else if (event.key === "x" || (event.key === " " && selection.isActive.value)) {
      taken(event);
      selection.toggle(id);
    } else if (event.shiftKey && /^(Arrow|Home|End|Page)/.test(event.key)) {
      // The grid moves the focus; what it comes to belongs to the range.
      this.#extends = true;
      if (selection.anchor === null) {
        selection.toggle(id);
      }
    }
  };

  /** @param {FocusEvent} event */
  focus = (event) => {
    const id = this.#extends ? this.#idOf(event.target) : null;
    if (id !== null) void this.#rangeTo(id);
  };

  /** @param {KeyboardEvent} event */
  keyUp = (event) => {
    if (event.key === "Shift") this.#extends = false;
  };

  async all() {
    const ids = await this.list.all();
    if (ids) selection.extend(ids);
  }

  /** @param {string} id */
  async #rangeTo(id) {
    const from = selection.anchor ?? id;
    const pass = (this.#pass += 1);
    const covered = await this.list.between(from, id);
    if (pass === this.#pass) selection.range(covered);
  }

  /** @param {PointerEvent} event */
  press = (event) => {
    this.#wasDrag = false;
    if (event.pointerType === "mouse" || !event.isPrimary) return;
    const id = this.#idOf(event.target);
    if (id === null) return;
    const timer = window.setTimeout(() => this.#begin(), LONG);
    this.#press = { id, x: event.clientX, y: event.clientY, timer, isDrag: false };
    this.#drag?.abort();
    this.#drag = new AbortController();
    const { signal } = this.#drag;
    document.addEventListener("pointermove", this.#move, { signal });
    document.addEventListener("pointerup", this.release, { signal });
    document.addEventListener("pointercancel", this.release, { signal });
  };

  #begin() {
    const press = this.#press;
    if (!press) return;
    press.isDrag = true;
    this.#wasDrag = true;
    navigator.vibrate?.(12);
    selection.toggle(press.id);
    this.#reached = press.id;
    this.#scroll();
  }

  /** @param {PointerEvent} event */
  #move = (event) => {
    const press = this.#press;
    if (!press) return;
    const moved = Math.hypot(event.clientX - press.x, event.clientY - press.y);
    if (!press.isDrag) {
      if (moved > STILL) this.release();
      return;
    }
    press.x = event.clientX;
    press.y = event.clientY;
    this.#cover();
  };

  /** What lies between the first cell and the finger. */
  #cover() {
    const press = this.#press;
    if (!press) return;
    // Bars may lie over the cells.
    const ids = document.elementsFromPoint(press.x, press.y).map((element) => this.#idOf(element));
    const id = ids.find((each) => each !== null) ?? null;
    if (id !== null && id !== this.#reached) void this.#rangeTo(id);
    this.#reached = id;
  }

  #scroll() {
    const press = this.#press;
    if (!press?.isDrag) return;
    if (scrollAtEdge(press.y)) this.#cover();
    requestAnimationFrame(() => this.#scroll());
  }

  release = () => {
    clearTimeout(this.#press?.timer);
    this.#press = null;
    this.#drag?.abort();
    this.#drag = null;
  };

  /** @param {TouchEvent} event */
  touch = (event) => {
    if (this.#press?.isDrag) event.preventDefault();
  };

  /** @param {Event} event A long press opens no menu of the browser's. */
  menu = (event) => {
    if (this.#press) event.preventDefault();
  };
}

/**
 * Scroll a little where a drag is near the edge of the window, the faster the nearer.
 *
 * @param {number} y
 * @param {number} [top] Where the content begins.
 * @returns {boolean} Whether it did.
 */
export function scrollAtEdge(y, top = 0) {
  const up = top + EDGE - y;
  const down = y - (innerHeight - EDGE);
  const step = up > 0 ? -up : down > 0 ? down : 0;
  if (step === 0) return false;
  const before = scrollY;
  scrollBy({ top: step / 4, behavior: "instant" });
  return scrollY !== before;
}

/** @param {Event} event */
function taken(event) {
  event.preventDefault();
  event.stopPropagation();
}
