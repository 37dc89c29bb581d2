/**
 * Ranges of a selection, by places in an order. Pure.
 *
 * A range goes from where it began to where it is now. Made longer and shorter again, it gives back what it had covered,
 * but nothing that was chosen before it.
 */

/**
 * @param {number} from
 * @param {number} to
 * @returns {number[]} all places from the lower to the higher
 */
export function places(from, to) {
  const low = Math.min(from, to);
  return Array.from({ length: Math.abs(to - from) + 1 }, (_, step) => low + step);
}

/**
 * @param {ReadonlySet<string>} before what was chosen when the range began
 * @param {Iterable<string>} covered the ids in the range
 * @param {boolean} isChosen whether the range chooses, or takes out
 * @returns {Set<string>}
 */
export function withRange(before, covered, isChosen = true) {
  const chosen = new Set(before);
  for (const id of covered) {
    if (isChosen) chosen.add(id);
    else chosen.delete(id);
  }
  return chosen;
}

/**
 * Where a key leads among `count` places in rows of `columns`.
 *
 * @param {string} key
 * @param {number} at
 * @param {{count: number, columns: number, isRightToLeft?: boolean}} grid
 * @returns {number | null}
 */
export function placeByKey(key, at, { count, columns, isRightToLeft = false }) {
  const forward = isRightToLeft ? "ArrowLeft" : "ArrowRight";
  const backward = isRightToLeft ? "ArrowRight" : "ArrowLeft";
  const next = {
    [forward]: at + 1,
    [backward]: at - 1,
    ArrowDown: at + columns,
    ArrowUp: at - columns,
    Home: 0,
    End: count - 1,
  }[key];
  if (next === undefined || count === 0) return null;
  return Math.max(0, Math.min(count - 1, next));
}
