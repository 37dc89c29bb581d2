/** Where months and years are along a scrubber. Pure. */

/**
 * @typedef {{month: string, share: number}} Mark A month, and where it begins: 0 is the top, 1 the end.
 */

/**
 * @param {import("./arrangement.js").Section[]} sections
 * @param {ArrayLike<number>} tops
 * @param {number} height
 * @returns {Mark[]}
 */
export function marksOf(sections, tops, height) {
  const marks = [];
  for (const [index, { month }] of sections.entries())
    if (month !== null) marks.push({ month, share: height > 0 ? Math.min(Number(tops[index]) / height, 1) : 0 });
  return marks;
}

/**
 * The years to write beside it: the first month of each, where there is room after the one before.
 * @param {Mark[]} marks
 * @param {number} room The least share between two.
 * @returns {{year: string, share: number}[]}
 */
export function yearsOf(marks, room) {
  const years = [];
  let last = "";
  let free = -1;
  for (const { month, share } of marks) {
    const year = month.slice(0, 4);
    if (year === last) continue;
    last = year;
    if (share < free || share > 1 - room / 2) continue;
    years.push({ year, share });
    free = share + room;
  }
  return years;
}

/**
 * The number of the month that a share lies in.
 * @param {Mark[]} marks
 * @param {number} share
 */
export function monthAt(marks, share) {
  let found = 0;
  for (const [index, mark] of marks.entries()) if (mark.share <= share + 1e-9) found = index;
  return found;
}

/**
 * The month that a key of a slider leads to: the next, or the first of another year.
 * @param {Mark[]} marks
 * @param {number} here
 * @param {string} key
 * @returns {number | null} Null for other keys.
 */
export function monthByKey(marks, here, key) {
  const last = marks.length - 1;
  const yearOf = (/** @type {number} */ index) => marks[index]?.month.slice(0, 4);
  const firstOf = (/** @type {string | undefined} */ year) => marks.findIndex(({ month }) => month.slice(0, 4) === year);
  switch (key) {
    case "ArrowDown":
    case "ArrowRight":
      return Math.min(here + 1, last);
    case "ArrowUp":
    case "ArrowLeft":
      return Math.max(here - 1, 0);
    case "PageDown": {
      const next = marks.findIndex((_, index) => index > here && yearOf(index) !== yearOf(here));
      return next < 0 ? last : next;
    }
    case "PageUp": {
      const start = firstOf(yearOf(here));
      return start < here || start === 0 ? start : firstOf(yearOf(start - 1));
    }
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return null;
  }
}
