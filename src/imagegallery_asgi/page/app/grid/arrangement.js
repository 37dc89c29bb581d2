/** Where the sections of a list lie, one below the other, and the pictures in them. Pure. */
import { estimate, firstFrom, lay, within } from "./layout.js";

/**
 * Images in columns of equal length, as the timeline has them.
 * @typedef {{id: string[], ratio: number[], blurhash: (string | null)[], taken_at: string[]}} Columns
 */

/**
 * A stretch of a list: `count` images, whose `columns` come when they are needed.
 * @typedef {object} Section
 * @property {string} key The same after changes.
 * @property {string | null} month The month that begins here.
 * @property {number} count
 * @property {Columns | null} columns
 * @property {boolean} goesOn Its last row is followed by the next section's first.
 * @property {number} first How many images are before it.
 */

/**
 * @typedef {{layout: import("./layout.js").Layout, width: number, size: number, gap: number, head: number}} Look
 *   `head`: how tall the title of a month is.
 * @typedef {{section: number, index: number}} Spot An image, by its section and place in it.
 * @typedef {{key: string, id: string | null, index: number, by: number}} Anchor What a place shows at its top: an image
 *   and how far its upper edge is above the place, or a share (`by`) of a section that is not there yet.
 * @typedef {{x: number, y: number, width: number, height: number}} Box
 */

export class Arrangement {
  /** @type {Section[]} */
  sections = [];
  /** The upper edge of each section. */
  tops = new Float64Array();
  height = 0;
  /** @type {Look} */
  look = { layout: "squares", width: 0, size: 100, gap: 4, head: 0 };
  /** What was laid out for a look, by the columns. @type {WeakMap<Columns, {look: string, boxes: import("./layout.js").Boxes}>} */
  #made = new WeakMap();
  /** Of most images, once some are known. @type {number | undefined} */
  #ratio = undefined;

  /**
   * @param {Section[]} sections
   * @param {Look} look
   */
  arrange(sections, look) {
    this.sections = sections;
    this.look = look;
    this.tops = new Float64Array(sections.length);
    let y = 0;
    for (const [index, section] of sections.entries()) {
      this.tops[index] = y;
      y += this.#headOf(section) + this.#bodyOf(section) + (section.goesOn ? look.gap : 0);
    }
    this.height = y;
  }

  /** @param {Section} section */
  #headOf(section) {
    return section.month === null ? 0 : this.look.head;
  }

  /** @param {Section} section */
  #bodyOf(section) {
    const boxes = this.#boxesOf(section);
    return boxes ? boxes.end : estimate(this.look.layout, section.count, this.look, this.#ratio);
  }

  /** @param {Section} section */
  #boxesOf({ columns, goesOn }) {
    if (columns === null) return null;
    const { layout, width, size, gap } = this.look;
    const look = `${layout} ${width} ${size} ${gap} ${goesOn}`;
    const known = this.#made.get(columns);
    if (known?.look === look) return known.boxes;
    const boxes = lay(layout, columns.ratio, { width, size, gap, goesOn });
    this.#made.set(columns, { look, boxes });
    const { length } = columns.ratio;
    if (length > 20) this.#ratio ??= Math.min(columns.ratio.reduce((sum, ratio) => sum + ratio, 0) / length, 3);
    return boxes;
  }

  /** The section at a place. @param {number} place */
  sectionAt(place) {
    return Math.max(Math.min(firstFrom(this.tops, place + 0.001), this.sections.length) - 1, 0);
  }

  /**
   * The sections of which something is from `top` to `bottom`: the first, and one after the last.
   * @param {number} top
   * @param {number} bottom
   * @returns {[number, number]}
   */
  between(top, bottom) {
    if (!this.sections.length) return [0, 0];
    return [this.sectionAt(top), Math.max(firstFrom(this.tops, bottom), 1)];
  }

  /**
   * The images of a section that may be seen from `top` to `bottom`: the first, and one after the last.
   * @param {number} section
   * @param {number} top
   * @param {number} bottom
   * @returns {[number, number]}
   */
  within(section, top, bottom) {
    const boxes = this.#boxesOf(this.#section(section));
    const start = this.bodyTop(section);
    return boxes ? within(boxes, top - start, bottom - start) : [0, 0];
  }

  /** @param {number} section Where its images begin. */
  bodyTop(section) {
    return this.#top(section) + this.#headOf(this.#section(section));
  }

  /** @param {number} section */
  bottom(section) {
    return section + 1 < this.tops.length ? this.#top(section + 1) : this.height;
  }

  /**
   * @param {Spot} spot
   * @returns {Box | null}
   */
  box({ section, index }) {
    const boxes = this.#boxesOf(this.#section(section));
    if (!boxes || index >= boxes.y.length) return null;
    const [x, y, width, height] = [boxes.x, boxes.y, boxes.width, boxes.height].map((each) => Number(each[index]));
    return { x: x ?? 0, y: this.bodyTop(section) + (y ?? 0), width: width ?? 0, height: height ?? 0 };
  }

  /**
   * The image above or below another one.
   * @param {Spot} spot
   * @param {-1 | 1} step
   * @returns {Spot | null} Null where the section ends.
   */
  vertically(spot, step) {
    const from = this.box(spot);
    if (!from) return null;
    const centre = from.x + from.width / 2;
    let [best, least] = [/** @type {Spot | null} */ (null), Infinity];
    for (let index = spot.index + step, seen = 0; seen < 100; index += step, seen += 1) {
      const box = index >= 0 ? this.box({ section: spot.section, index }) : null;
      if (!box) break;
      const down = step > 0 ? box.y - from.y - from.height : from.y - box.y - box.height;
      if (down < 0) continue;
      const aside = Math.max(box.x - centre, centre - box.x - box.width, 0);
      if (down + aside < least) [best, least] = [{ section: spot.section, index }, down + aside];
    }
    return best;
  }

  /**
   * What is to be where it is, whatever becomes known of the rest: the first image that is seen.
   * @param {number} place
   * @param {number} [view] How much is seen from there.
   * @returns {Anchor | null} A share of a section where no image is known.
   */
  anchorAt(place, view = 0) {
    const [first, end] = this.between(place, place + Math.max(view, 1));
    for (let number = first; number < end; number += 1) {
      const { key, columns } = this.#section(number);
      const [from, to] = this.within(number, place, Math.max(place + view, this.#top(number)));
      for (let index = from; index < to; index += 1) {
        const box = /** @type {Box} */ (this.box({ section: number, index }));
        if (box.y + box.height > place) return { key, id: columns?.id[index] ?? null, index, by: place - box.y };
      }
    }
    if (first === end) return null;
    const top = this.#top(first);
    return { key: this.#section(first).key, id: null, index: 0, by: (place - top) / Math.max(this.bottom(first) - top, 1) };
  }

  /**
   * The place that shows an anchor as it was.
   * @param {Anchor | null | undefined} anchor
   * @returns {number | null} Null if it is not there any more.
   */
  placeOf(anchor) {
    const number = anchor ? this.sections.findIndex(({ key }) => key === anchor.key) : -1;
    const section = this.sections[number];
    if (!anchor || !section) return null;
    const { columns } = section;
    if (anchor.id === null) {
      const top = this.#top(number);
      return top + anchor.by * (this.bottom(number) - top);
    }
    if (!columns?.id.length) return this.#top(number);
    const found = columns.id.indexOf(anchor.id);
    const index = found >= 0 ? found : Math.min(anchor.index, columns.id.length - 1);
    return /** @type {Box} */ (this.box({ section: number, index })).y + anchor.by;
  }

  /** @param {number} section */
  #section(section) {
    return /** @type {Section} */ (this.sections[section]);
  }

  /** @param {number} section */
  #top(section) {
    return /** @type {number} */ (this.tops[section]);
  }
}
