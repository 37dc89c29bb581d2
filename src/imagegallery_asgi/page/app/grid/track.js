/**
 * Scrolling through more than browsers can hold: an element may be 2^24 pixels tall on dense screens, and less in some.
 *
 * A `Track` knows the `place` in the content, of any height, that the top of the window shows, and where the scrollbar
 * is (`bar`), on a sheet of at most `TALLEST`. Small steps are the same for both; a leap of the scrollbar is a leap to
 * the same share of the content. What is measured anew above the window moves the place and not the bar, so nothing
 * jumps under a finger; when it is quiet, `settled` says where the bar should be. Pure.
 */
export const TALLEST = 6_000_000;

export class Track {
  height = 0;
  view = 0;
  place = 0;
  bar = 0;

  /** @param {number} [tallest] */
  constructor(tallest = TALLEST) {
    this.tallest = tallest;
  }

  /** How tall the sheet is. */
  get sheet() {
    return Math.min(this.height, this.tallest);
  }

  /** What leads from a place in the content to one on the sheet. */
  get offset() {
    return this.bar - this.place;
  }

  get #isScaled() {
    return this.height > this.tallest;
  }

  /** @param {number} bar Where the scrollbar has come to. */
  moved(bar) {
    const step = bar - this.bar;
    this.bar = bar;
    if (this.#isScaled && Math.abs(step) > 4 * this.view) this.place = this.#placeAt(bar);
    else this.place += step;
    return this.place;
  }

  /**
   * Go to a place in the content.
   * @param {number} place
   * @returns {number} Where the bar belongs then.
   */
  go(place) {
    this.place = Math.min(place, Math.max(this.height - this.view, 0));
    this.bar = this.#barAt(this.place);
    return this.bar;
  }

  /**
   * The content that was at the place is elsewhere now, by as much.
   * @param {number} by
   */
  shift(by) {
    this.place += by;
  }

  /** Whether the bar is so near to an end that it would stop before the content does, or after. */
  get isTight() {
    return (
      Math.abs(this.#barAt(this.place) - this.bar) > 1 &&
      (this.bar < this.view || this.bar > this.sheet - 2 * this.view || this.place < 0)
    );
  }

  /** Where the bar has to go while nobody moves it, or null. */
  settled() {
    const wanted = this.#barAt(this.place);
    return Math.abs(wanted - this.bar) > 1 ? this.go(this.place) : null;
  }

  /** @param {number} place */
  #barAt(place) {
    if (!this.#isScaled || place <= 0) return place;
    return (place / (this.height - this.view)) * (this.sheet - this.view);
  }

  /** @param {number} bar */
  #placeAt(bar) {
    return bar <= 0 ? bar : (bar / (this.sheet - this.view)) * (this.height - this.view);
  }
}
