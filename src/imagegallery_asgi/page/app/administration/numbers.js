/** Numbers of administrators, as people read them; pure. */
import { formatNumber } from "../core/formats.js";

/**
 * A count of jobs, of which no more than so many are counted.
 * @param {number} count
 * @param {{counted_to: number}} jobs
 */
export const counted = (count, { counted_to }) => formatNumber(count) + (count >= counted_to ? "+" : "");

/**
 * An amount that may be estimated.
 * @param {string} text
 * @param {boolean} isExact
 */
export const about = (text, isExact) => (isExact ? text : `≈ ${text}`);

const UNITS = /** @type {Record<string, number>} */ ({
  "": 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40,
});

/**
 * The bytes of a size as people write it (`20 MB`, `1.5GiB`, `1000`); null for anything else.
 * @param {string} text
 */
export function bytesIn(text) {
  const [, digits = "", unit = ""] = /^([0-9]+(?:[.,][0-9]{1,3})?)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const size = UNITS[unit.toLowerCase()];
  if (!digits || size === undefined) return null;
  return Math.floor(Number(digits.replace(",", ".")) * size + 1e-6);
}

/**
 * A size as it can be written in a field: in the greatest unit that says it exactly.
 * @param {number} bytes
 */
export function sizeText(bytes) {
  const units = ["TB", "TiB", "GB", "GiB", "MB", "MiB", "kB", "KiB"];
  const unit = bytes > 0 && units.find((each) => Number.isInteger((bytes / (UNITS[each.toLowerCase()] ?? 1)) * 10));
  return unit ? `${bytes / (UNITS[unit.toLowerCase()] ?? 1)} ${unit}` : String(bytes);
}
