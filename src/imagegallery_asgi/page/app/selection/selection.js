/** Which images are chosen, over all lists of the page. */
import { changed } from "../core/live.js";
import { computed, signal } from "../core/signal.js";
import { withRange } from "./ranges.js";

export class Selection {
  chosen = signal(/** @type {ReadonlySet<string>} */ (new Set()));
  /** What was chosen or given back last: ranges begin there. @type {string | null} */
  anchor = null;
  count = computed(() => this.chosen.value.size);
  /** Something is chosen: a click chooses, too, in place of opening. */
  isActive = computed(() => this.chosen.value.size > 0);
  /** What was chosen when the range began that is being made. @type {ReadonlySet<string> | null} */
  #before = null;

  /** @param {string} id */
  has(id) {
    return this.chosen.value.has(id);
  }

  /** @param {string} id */
  toggle(id) {
    this.#begin(id);
    this.chosen.value = withRange(this.chosen.value, [id], !this.chosen.value.has(id));
  }

  /**
   * Choose these, too.
   * @param {Iterable<string>} ids
   */
  extend(ids) {
    this.#before = null;
    this.chosen.value = withRange(this.chosen.value, ids);
  }

  /**
   * Make the range that began at the anchor as long as this, and give back what it had covered beyond.
   * @param {Iterable<string>} covered
   * @param {boolean} [isChosen] Whether the range chooses, or gives back.
   */
  range(covered, isChosen = true) {
    this.#before ??= this.chosen.value;
    this.chosen.value = withRange(this.#before, covered, isChosen);
  }

  /** @param {string} id */
  only(id) {
    this.#begin(id);
    this.chosen.value = new Set([id]);
  }

  /** @param {Iterable<string>} ids */
  leave(ids) {
    this.#before = null;
    const chosen = withRange(this.chosen.value, ids, false);
    if (chosen.size < this.chosen.value.size) this.chosen.value = chosen;
  }

  clear() {
    this.anchor = null;
    this.#before = null;
    if (this.chosen.value.size) this.chosen.value = new Set();
  }

  /** @param {string} id */
  #begin(id) {
    this.anchor = id;
    this.#before = null;
  }
}

export const selection = new Selection();

/** @param {Event} event */
const leave = (event) => selection.leave(/** @type {CustomEvent} */ (event).detail.ids);
changed.addEventListener("images-gone", leave);
