/** Small charts: their geometry is pure, and each is one path, with its numbers in a table beside it. */

/**
 * The last days up to one, with nothing where none is known.
 * @param {{day: string, images: number, bytes: number}[]} known
 * @param {Date} last
 * @param {number} count
 */
export function daysUntil(last, count, known) {
  const byDay = new Map(known.map((each) => [each.day, each]));
  return Array.from({ length: count }, (_, index) => {
    const moment = new Date(Date.UTC(last.getUTCFullYear(), last.getUTCMonth(), last.getUTCDate() - (count - 1 - index)));
    const day = moment.toISOString().slice(0, 10);
    return byDay.get(day) ?? { day, images: 0, bytes: 0 };
  });
}

/**
 * Bars side by side, as a path: each value its share of the greatest; what is there is never too low to be seen.
 * @param {number[]} values
 * @param {{width: number, height: number, gap?: number, isReversed?: boolean}} size
 */
export function bars(values, { width, height, gap = 2, isReversed = false }) {
  const greatest = Math.max(...values, 0);
  const step = width / Math.max(values.length, 1);
  const [wide, least] = [Math.max(step - gap, 1), 2];
  return values
    .map((value, index) => {
      if (value <= 0) return "";
      const tall = Math.max((value / greatest) * height, least);
      const left = (isReversed ? values.length - 1 - index : index) * step + gap / 2;
      return `M${round(left)} ${round(height - tall)}h${round(wide)}V${height}h${round(-wide)}z`;
    })
    .join("");
}

/**
 * One bar in parts: where each begins and how wide it is, from 0 to 1. Parts that are there are at least so wide.
 * @param {number[]} values
 * @param {number} least
 */
export function parts(values, least = 0.004) {
  const total = values.reduce((sum, value) => sum + value, 0);
  if (total === 0) return values.map(() => ({ start: 0, share: 0 }));
  const widened = values.map((value) => (value > 0 ? Math.max(value / total, least) : 0));
  const sum = widened.reduce((all, share) => all + share, 0);
  let start = 0;
  return widened.map((share) => {
    const part = { start, share: share / sum };
    start += part.share;
    return part;
  });
}

/** @param {number} value */
const round = (value) => Math.round(value * 100) / 100;
