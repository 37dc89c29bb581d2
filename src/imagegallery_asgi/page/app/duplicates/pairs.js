/**
 * Images that look alike, two and two, and what tells them apart. Pure.
 *
 * @typedef {{one: string, other: string, distance: number, isExact: boolean}} Pair `one` is the earlier image.
 */

/**
 * @param {readonly {image: {id: string}, others: {image: {id: string}, distance: number, is_exact: boolean}[]}[]} found
 * @returns {Pair[]} each two once
 */
export function pairsOf(found) {
  /** @type {Map<string, Pair>} */
  const pairs = new Map();
  for (const { image, others } of found) {
    for (const { image: other, distance, is_exact: isExact } of others) {
      const key = [image.id, other.id].sort().join(" ");
      if (!pairs.has(key)) pairs.set(key, { one: other.id, other: image.id, distance, isExact });
    }
  }
  return [...pairs.values()];
}

/**
 * Which of the two is the better one by a number: 0, 1, or null if they are equal or it is not known.
 *
 * @param {number | null} one
 * @param {number | null} other
 */
export function better(one, other) {
  if (one === null || other === null || one === other) return null;
  return one > other ? 0 : 1;
}

/**
 * The pairs that are left when images are gone.
 *
 * @param {readonly Pair[]} pairs
 * @param {ReadonlySet<string>} gone
 */
export function without(pairs, gone) {
  return pairs.filter(({ one, other }) => !gone.has(one) && !gone.has(other));
}
