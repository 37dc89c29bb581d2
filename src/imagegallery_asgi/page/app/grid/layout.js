/** Where the pictures of a list go. Pure: ratios in, boxes out. */

/**
 * Boxes of so many pictures, in columns, the upper ones first; `tallest` is the height of the tallest.
 * @typedef {{x: Float64Array, y: Float64Array, width: Float64Array, height: Float64Array, end: number, tallest: number}} Boxes
 * @typedef {{width: number, size: number, gap: number, goesOn?: boolean}} Frame `size`: how tall or wide a picture is
 *   to be, about. `goesOn`: more follows, so that the last row has to be full, too.
 * @typedef {"rows" | "squares" | "masonry"} Layout
 */

/** What is narrower or wider is cut to this where it is shown among others. */
const NARROWEST = 0.4;
const WIDEST = 4;
/** A last row that would be taller than this, in sizes, is not made full. */
const FULL = 1.3;

/** @param {number | null | undefined} ratio */
export const shownRatio = (ratio) => Math.min(Math.max(ratio || 1, NARROWEST), WIDEST);

/**
 * @param {Layout} layout
 * @param {ArrayLike<number>} ratios
 * @param {Frame} frame
 */
export const lay = (layout, ratios, frame) => LAYOUTS[layout](ratios, frame);

/**
 * Rows of equal height that fill the width, but for the last one.
 * @param {ArrayLike<number>} ratios
 * @param {Frame} frame
 */
export function rows(ratios, { width, size, gap, goesOn = false }) {
  const boxes = empty(ratios.length);
  const heightOf = (/** @type {number} */ sum, /** @type {number} */ count) =>
    Math.max((width - gap * (count - 1)) / sum, 1);
  for (const [start, end, sum] of breaks(ratios, size, heightOf, goesOn)) {
    const full = heightOf(sum, end - start);
    const height = end === ratios.length && !goesOn && full > size * FULL ? size : full;
    let x = 0;
    for (let each = start; each < end; each += 1) {
      const wide = shownRatio(ratios[each]) * height;
      put(boxes, each, x, boxes.end, wide, height);
      x += wide + gap;
    }
    boxes.end += height + gap;
  }
  return closed(boxes, gap);
}

/**
 * The rows, as [first, one after the last, sum of ratios]: each ends where its height is nearest to the size.
 * @param {ArrayLike<number>} ratios
 * @param {number} size
 * @param {(sum: number, count: number) => number} heightOf
 * @param {boolean} goesOn
 */
function breaks(ratios, size, heightOf, goesOn) {
  /** @type {[number, number, number][]} */
  const found = [];
  let start = 0;
  let sum = 0;
  for (let each = 0; each < ratios.length; each += 1) {
    const ratio = shownRatio(ratios[each]);
    const height = heightOf(sum + ratio, each + 1 - start);
    const before = each > start ? heightOf(sum, each - start) : Infinity;
    if (height > size) {
      sum += ratio;
    } else if (before - size < size - height) {
      found.push([start, each, sum]);
      [start, sum] = [each, ratio];
    } else {
      found.push([start, each + 1, sum + ratio]);
      [start, sum] = [each + 1, 0];
    }
  }
  if (start === ratios.length) return found;
  const last = found.at(-1);
  if (goesOn && last && heightOf(sum, ratios.length - start) > size * FULL) {
    last[1] = ratios.length;
    last[2] += sum;
  } else found.push([start, ratios.length, sum]);
  return found;
}

/**
 * Equal squares.
 * @param {ArrayLike<number>} ratios
 * @param {Frame} frame
 */
export function squares(ratios, { width, size, gap }) {
  const boxes = empty(ratios.length);
  const { count, side } = columnsOf(width, size, gap);
  for (let each = 0; each < ratios.length; each += 1)
    put(boxes, each, (each % count) * (side + gap), Math.floor(each / count) * (side + gap), side, side);
  boxes.end = Math.ceil(ratios.length / count) * (side + gap);
  return closed(boxes, gap);
}

/**
 * Columns of equal width; each picture comes into the one that is shortest.
 * @param {ArrayLike<number>} ratios
 * @param {Frame} frame
 */
export function masonry(ratios, { width, size, gap }) {
  const boxes = empty(ratios.length);
  const { count, side } = columnsOf(width, size, gap);
  const ends = new Float64Array(count);
  for (let each = 0; each < ratios.length; each += 1) {
    let column = 0;
    for (let other = 1; other < count; other += 1)
      if (/** @type {number} */ (ends[other]) < /** @type {number} */ (ends[column]) - 0.5) column = other;
    const y = /** @type {number} */ (ends[column]);
    const height = side / shownRatio(ratios[each]);
    put(boxes, each, column * (side + gap), y, side, height);
    ends[column] = y + height + gap;
  }
  boxes.end = ratios.length ? Math.max(...ends) : 0;
  return closed(boxes, gap);
}

const LAYOUTS = { rows, squares, masonry };

/**
 * How tall so many pictures will be, about, whose ratios are not known yet; squares exactly.
 * @param {Layout} layout
 * @param {number} count
 * @param {Frame} frame
 * @param {number} ratio Of most of them.
 */
export function estimate(layout, count, { width, size, gap }, ratio = 1.4) {
  const { count: columns, side } = columnsOf(width, size, gap);
  if (layout === "squares") return Math.ceil(count / columns) * (side + gap) - (count ? gap : 0);
  if (layout === "masonry") return Math.ceil(count / columns) * (side / ratio + gap);
  return Math.ceil((count * (size * ratio + gap)) / (width + gap)) * (size + gap) - (count ? gap : 0);
}

/**
 * The pictures, from the first to one after the last, of which some may be seen from `top` to `bottom`.
 * @param {Boxes} boxes
 * @param {number} top
 * @param {number} bottom
 * @returns {[number, number]}
 */
export const within = ({ y, tallest }, top, bottom) => [firstFrom(y, top - tallest), firstFrom(y, bottom)];

/**
 * The first of ascending numbers that is this one or more.
 * @param {ArrayLike<number>} ascending
 * @param {number} least
 */
export function firstFrom(ascending, least) {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (/** @type {number} */ (ascending[middle]) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How tall or wide a picture of the library is to be in a window of this width. @param {number} width */
export const sizeFor = (width) => Math.min(Math.max(100 + width * 0.085, 110), 380);

/**
 * @param {number} width
 * @param {number} size
 * @param {number} gap
 */
function columnsOf(width, size, gap) {
  const count = Math.max(1, Math.round((width + gap) / (size + gap)));
  return { count, side: Math.max((width - gap * (count - 1)) / count, 1) };
}

/** @param {number} count @returns {Boxes} */
function empty(count) {
  const column = () => new Float64Array(count);
  return { x: column(), y: column(), width: column(), height: column(), end: 0, tallest: 0 };
}

/**
 * @param {Boxes} boxes
 * @param {number} each
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 */
function put(boxes, each, x, y, width, height) {
  boxes.x[each] = x;
  boxes.y[each] = y;
  boxes.width[each] = width;
  boxes.height[each] = height;
  boxes.tallest = Math.max(boxes.tallest, height);
}

/**
 * @param {Boxes} boxes
 * @param {number} gap
 */
function closed(boxes, gap) {
  boxes.end = Math.max(boxes.end - gap, 0);
  return boxes;
}
