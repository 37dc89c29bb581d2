/**
 * Changing the order of a gallery. Pure.
 *
 * @typedef {{before: string} | {after: string}} Anchor
 */

/**
 * The order after a move, as the service makes it: the moved, as they come in `moved`, right before or after the anchor.
 *
 * @param {readonly string[]} order
 * @param {readonly string[]} moved
 * @param {Anchor} anchor one that does not move
 * @returns {string[]}
 */
export function reordered(order, moved, anchor) {
  const away = new Set(moved);
  const rest = order.filter((id) => !away.has(id));
  const at = "before" in anchor ? rest.indexOf(anchor.before) : rest.indexOf(anchor.after) + 1;
  if (at < 0 || ("after" in anchor && at === 0)) return [...order];
  return [...rest.slice(0, at), ...moved, ...rest.slice(at)];
}

/**
 * Where to put images so that they are dropped in front of the place `gap` of the order (0 to its length): next to the
 * nearest one that stays.
 *
 * @param {readonly string[]} order
 * @param {ReadonlySet<string>} moved
 * @param {number} gap
 * @returns {Anchor | null} null if that changes nothing, or all of them move
 */
export function anchorAt(order, moved, gap) {
  const next = order.slice(gap).find((id) => !moved.has(id));
  const before = order.slice(0, gap).findLast((id) => !moved.has(id));
  const anchor = before !== undefined ? { after: before } : next !== undefined ? { before: next } : null;
  if (anchor === null) return null;
  const goal = reordered(order, inOrder(order, moved), anchor);
  return goal.every((id, at) => id === order[at]) ? null : anchor;
}

/**
 * The number, from 0, that the first of the moved has when they are dropped in front of the place `gap`.
 *
 * @param {readonly string[]} order
 * @param {ReadonlySet<string>} moved
 * @param {number} gap
 */
export function placeOf(order, moved, gap) {
  return order.slice(0, gap).filter((id) => !moved.has(id)).length;
}

/**
 * The gap that leads to this number.
 *
 * @param {readonly string[]} order
 * @param {ReadonlySet<string>} moved
 * @param {number} place
 */
export function gapOf(order, moved, place) {
  if (place === 0) return 0;
  const rest = order.filter((id) => !moved.has(id));
  return order.indexOf(/** @type {string} */ (rest[place - 1])) + 1;
}

/**
 * @param {readonly string[]} order
 * @param {ReadonlySet<string>} some
 */
export function inOrder(order, some) {
  return order.filter((id) => some.has(id));
}

/**
 * The moves that bring images back to where they were in `order`: one for each run of them, first come first.
 *
 * @param {readonly string[]} order as it was
 * @param {ReadonlySet<string>} moved
 * @returns {{ids: string[], anchor: Anchor}[]}
 */
export function movesBack(order, moved) {
  /** @type {{ids: string[], anchor: Anchor}[]} */
  const moves = [];
  const firstRest = order.find((id) => !moved.has(id));
  if (firstRest === undefined) return [];
  /** @type {string | null} */
  let before = null;
  /** @type {string[]} */
  let run = [];
  const end = () => {
    if (run.length) moves.push({ ids: run, anchor: before === null ? { before: firstRest } : { after: before } });
    run = [];
  };
  for (const id of order) {
    if (moved.has(id)) {
      run.push(id);
    } else {
      end();
      before = id;
    }
  }
  end();
  return moves;
}

/**
 * Which gap between cells a point is nearest to, in lines that are read in the page's direction.
 *
 * @param {readonly {index: number, left: number, right: number, top: number, bottom: number}[]} boxes of cells in sight
 * @param {{x: number, y: number}} point
 * @param {boolean} isRightToLeft
 * @returns {number | null} the number of the place in front of which it is
 */
export function gapAt(boxes, point, isRightToLeft = false) {
  let best = null;
  let least = Infinity;
  for (const box of boxes) {
    const dx = Math.max(box.left - point.x, 0, point.x - box.right);
    const dy = Math.max(box.top - point.y, 0, point.y - box.bottom);
    const distance = dx * dx + dy * dy;
    if (distance < least) {
      least = distance;
      const isInFirstHalf = point.x < (box.left + box.right) / 2 !== isRightToLeft;
      best = box.index + (isInFirstHalf ? 0 : 1);
    }
  }
  return best;
}
