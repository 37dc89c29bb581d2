/** `<ig-timeline>`: a whole library by months, with its scrubber. */
import { Element, define } from "../core/element.js";
import { html } from "../core/html.js";
import { effect, signal } from "../core/signal.js";
import "./grid.js";
import { marksOf } from "./months.js";
import "./scrubber.js";

/** @typedef {import("./grid.js").Grid} Grid */

export class Timeline extends Element {
  static tag = "ig-timeline";

  source = signal(/** @type {import("./images.js").TimelineSource | null} */ (null));
  layout = signal(/** @type {import("./layout.js").Layout} */ ("rows"));
  selectable = signal(false);
  pathOf = signal((/** @type {string} */ id) => `/images/${id}`);
  /** @type {Grid | null} */
  grid = null;
  #scrubber = signal(/** @type {import("./scrubber.js").Scrubber | null} */ (null));

  /** @param {AbortSignal} ended */
  connected(ended) {
    const stop = effect(() => this.#follow());
    let timer = 0;
    const scrolled = () => {
      this.classList.add("moving");
      clearTimeout(timer);
      timer = setTimeout(() => this.classList.remove("moving"), 1200);
    };
    addEventListener("scroll", scrolled, { passive: true, signal: ended });
    ended.addEventListener("abort", () => {
      stop();
      clearTimeout(timer);
    });
  }

  /** The scrubber shows where the grid is. */
  #follow() {
    const scrubber = this.#scrubber.value;
    if (!scrubber || !this.grid) return;
    const { place, height, view } = this.grid.at.value;
    const { sections, tops } = this.grid.arrangement;
    const length = Math.max(height - view, 1);
    // Browsers round places: at the upper edge of a month one is in it.
    scrubber.share.value = Math.min(Math.max((place + 2) / length, 0), 1);
    if (height !== this.#height) scrubber.marks.value = marksOf(sections, tops, length);
    this.#height = height;
  }
  #height = -1;

  /** @param {CustomEvent<{share: number, month: string | null}>} event */
  #seek({ detail: { share, month } }) {
    const { arrangement, track } = /** @type {Grid} */ (this.grid);
    // Where a month is now: what was drawn last may be of before more was read.
    const section = month === null ? -1 : arrangement.sections.findIndex((each) => each.month === month);
    this.grid?.go(arrangement.tops[section] ?? share * Math.max(track.height - track.view, 0));
  }

  render() {
    return html`
      <ig-grid
        .source=${this.source.value}
        .layout=${this.layout.value}
        .selectable=${this.selectable.value}
        .pathOf=${this.pathOf.value}
        ref=${(/** @type {Grid} */ grid) => (this.grid = grid)}
      ></ig-grid>
      <ig-scrubber
        @seek=${(/** @type {CustomEvent} */ event) => this.#seek(event)}
        ref=${(/** @type {import("./scrubber.js").Scrubber} */ scrubber) => (this.#scrubber.value = scrubber)}
      ></ig-scrubber>
    `;
  }
}

define(Timeline);
