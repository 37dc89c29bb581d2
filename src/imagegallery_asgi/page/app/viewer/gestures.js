/** What fingers mean: decisions about moves and taps, pure. Times are in milliseconds, ways in CSS pixels. */

/**
 * @typedef {{x: number, y: number, time: number}} Sample
 * @typedef {"across" | "down"} Axis
 */

/** A finger that moved less did not move. */
const STILL = 8;
/** Pixels a millisecond: faster than this, a short flick is enough. */
const FLICK = 0.4;
/** Part of the way across: slower than a flick, this much is. */
const FAR = 0.35;
/** Only the end of a move has its speed. */
const RECENT = 100;
const DOUBLE = { time: 300, way: 32 };

/**
 * Which way a move goes, once it is one. A move that is neither across nor down is across.
 * @param {number} dx
 * @param {number} dy
 * @returns {Axis | null}
 */
export function axisOf(dx, dy) {
  if (Math.hypot(dx, dy) < STILL) return null;
  return Math.abs(dy) > Math.abs(dx) * 1.2 ? "down" : "across";
}

/**
 * The speed at the end of a move.
 * @param {Sample[]} samples
 */
export function velocityOf(samples) {
  const last = samples.at(-1);
  const first = last && samples.find((each) => last.time - each.time <= RECENT);
  if (!last || !first || last.time === first.time) return { x: 0, y: 0 };
  const time = last.time - first.time;
  return { x: (last.x - first.x) / time, y: (last.y - first.y) / time };
}

/**
 * Whether a move that ends goes on to what it began, or back.
 * @param {number} way How far, in the direction of the axis.
 * @param {number} speed At its end, in the same direction.
 * @param {number} size Of the stage along the axis.
 * @returns {-1 | 0 | 1} The direction in which it goes on, or 0: back.
 */
export function carried(way, speed, size) {
  const direction = way < 0 ? -1 : 1;
  const along = speed * direction;
  if (along > FLICK) return direction;
  return along > -FLICK / 2 && Math.abs(way) > size * FAR ? direction : 0;
}

/**
 * What a swipe does when the finger leaves.
 * @param {{axis: Axis, dx: number, dy: number, velocity: {x: number, y: number}}} move
 * @param {{width: number, height: number}} stage
 * @param {boolean} isRightToLeft There the next one comes from the left.
 * @returns {"next" | "previous" | "close" | "stay"}
 */
export function swipe({ axis, dx, dy, velocity }, stage, isRightToLeft) {
  if (axis === "down") return carried(dy, velocity.y, stage.height / 2) === 1 ? "close" : "stay";
  const direction = carried(dx, velocity.x, stage.width);
  if (direction === 0) return "stay";
  return (direction === -1) === isRightToLeft ? "previous" : "next";
}

/**
 * @param {Sample | null} before
 * @param {Sample} tap
 */
export function isDouble(before, tap) {
  if (!before) return false;
  return tap.time - before.time <= DOUBLE.time && Math.hypot(tap.x - before.x, tap.y - before.y) <= DOUBLE.way;
}

/**
 * How far the picture follows a finger where nothing is beyond: less and less.
 * @param {number} way
 * @param {number} size
 */
export const resisted = (way, size) => (way * size * 0.4) / (size + Math.abs(way));
