/** How long something stays in the trash. Pure. */

const DAY = 86_400_000; // milliseconds

/**
 * Whole days that are left, the one under way counted.
 *
 * @param {string} until
 * @param {number} now
 */
export function daysLeft(until, now) {
  return Math.max(0, Math.ceil((Date.parse(until) - now) / DAY));
}
