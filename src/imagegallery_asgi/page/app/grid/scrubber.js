/** `<ig-scrubber>`: the months of a library along the edge of the window, to go anywhere in one move. */
import { Element, define } from "../core/element.js";
import { formatMonth } from "../core/formats.js";
import { each, html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { computed, effect, signal } from "../core/signal.js";
import { monthAt, monthByKey, yearsOf } from "./months.js";

const t = await messages("grid");
/** The least room of a year, in pixels. */
const ROOM = 26;

/** Emits `seek` with the month or the share of the list to go to. */
export class Scrubber extends Element {
  static tag = "ig-scrubber";

  marks = signal(/** @type {import("./months.js").Mark[]} */ ([]));
  /** Where the window is, as a share of the list. */
  share = signal(0);
  /** Where a pointer is over it. */
  #hover = signal(/** @type {number | null} */ (null));
  #isHeld = signal(false);
  #length = signal(0);
  /** The month where the window is. */
  #here = computed(() => monthAt(this.marks.value, this.share.value));

  /** @param {AbortSignal} ended */
  connected(ended) {
    this.#length.value = this.clientHeight;
    const observer = new ResizeObserver(() => (this.#length.value = this.clientHeight));
    observer.observe(this);
    // With each step of the wheel only this moves; the rest is drawn when another month comes.
    const stop = effect(() => this.style.setProperty("--at", `${this.share.value * this.#length.value}px`));
    ended.addEventListener("abort", () => {
      observer.disconnect();
      stop();
    });
    const on = (/** @type {string} */ type, /** @type {(event: any) => void} */ run) =>
      this.addEventListener(type, run, { signal: ended });
    on("pointerdown", (event) => this.#press(event));
    on("pointermove", (event) => this.#move(event));
    on("pointerleave", () => (this.#hover.value = null));
    for (const type of ["pointerup", "pointercancel"]) on(type, () => this.#release());
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.setPointerCapture(event.pointerId);
    this.#isHeld.value = true;
    this.#slider?.focus({ preventScroll: true });
    this.#move(event);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const { top, height } = this.getBoundingClientRect();
    const share = Math.min(Math.max((event.clientY - top) / height, 0), 1);
    this.#hover.value = share;
    if (this.#isHeld.value) this.emit("seek", { share, month: null });
  }

  #release() {
    this.#isHeld.value = false;
    this.#hover.value = null;
  }

  get #slider() {
    return /** @type {HTMLElement | null} */ (this.querySelector("[role=slider]"));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const marks = this.marks.value;
    const next = monthByKey(marks, monthAt(marks, this.share.value), event.key);
    if (next === null) return;
    event.preventDefault();
    this.emit("seek", { share: 0, ...marks[next] });
  }

  render() {
    const [marks, length] = [this.marks.value, this.#length.value];
    const here = this.#here.value;
    const hover = this.#hover.value;
    const told = marks[hover === null ? here : monthAt(marks, hover)];
    const at = (/** @type {number} */ share) => ({ translate: `0 calc(${Math.round(share * length)}px - 50%)` });
    this.classList.toggle("idle", marks.length < 2);
    this.classList.toggle("held", this.#isHeld.value);
    return html`
      ${each(
        length ? yearsOf(marks, ROOM / length) : [],
        ({ year }) => year,
        ({ year, share }) => html`<span class="year" style=${at(share)}>${year}</span>`,
      )}
      <div
        class="thumb"
        role="slider"
        tabindex=${marks.length < 2 ? -1 : 0}
        aria-label=${t("timeline")}
        aria-orientation="vertical"
        aria-valuemin="1"
        aria-valuemax=${Math.max(marks.length, 1)}
        aria-valuenow=${here + 1}
        aria-valuetext=${marks[here] ? formatMonth(marks[here].month) : ""}
        @keydown=${(/** @type {KeyboardEvent} */ event) => this.#key(event)}
      ></div>
      <div class="told" aria-hidden="true" style=${hover === null ? {} : at(hover)}>${told ? formatMonth(told.month) : ""}</div>
    `;
  }
}

define(Scrubber);
