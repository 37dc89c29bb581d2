/** Numbers, dates and sizes, as the language of the page writes them. */
import { language } from "./messages.js";

/**
 * @template {unknown[]} A
 * @template R
 * @param {(...options: A) => R} make
 * @returns {(...options: A) => R} The same, made once for each options.
 */
function once(make) {
  const made = new Map();
  return (...options) => {
    const key = JSON.stringify(options);
    if (!made.has(key)) made.set(key, make(...options));
    return made.get(key);
  };
}

const dates = once((/** @type {Intl.DateTimeFormatOptions} */ options) => new Intl.DateTimeFormat(language(), options));
const numbers = once((/** @type {Intl.NumberFormatOptions} */ options) => new Intl.NumberFormat(language(), options));
const spans = once(() => new Intl.RelativeTimeFormat(language(), { numeric: "auto" }));

/**
 * @param {string | Date} moment
 * @param {Intl.DateTimeFormatOptions} [options]
 */
export const formatDate = (moment, options = { dateStyle: "medium", timeStyle: "short" }) =>
  dates(options).format(new Date(moment));

/**
 * A month as the API names it, `2026-06`.
 * @param {string} month
 */
export const formatMonth = (month) => dates({ month: "long", year: "numeric", timeZone: "UTC" }).format(new Date(`${month}-01T00:00:00Z`));

/**
 * @param {number} value
 * @param {Intl.NumberFormatOptions} [options]
 */
export const formatNumber = (value, options = {}) => numbers(options).format(value);

/** @param {number} share From 0 to 1. */
export const formatPercent = (share) => formatNumber(share, { style: "percent", maximumFractionDigits: 0 });

const UNITS = /** @type {const} */ (["byte", "kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte"]);

/** @param {number} bytes */
export function formatBytes(bytes) {
  const power = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), UNITS.length - 1);
  const value = bytes / 1000 ** power;
  const maximumFractionDigits = power === 0 || value >= 100 ? 0 : 1;
  return formatNumber(value, { style: "unit", unit: UNITS[power], unitDisplay: "short", maximumFractionDigits });
}

const SPANS = /** @type {const} */ ([["day", 86400], ["hour", 3600], ["minute", 60]]);

/**
 * How long ago, or in how long.
 * @param {string | Date} moment
 * @param {number} now Milliseconds, as of `Date.now()`.
 */
export function formatAgo(moment, now) {
  const seconds = (new Date(moment).getTime() - now) / 1000;
  for (const [unit, length] of SPANS)
    if (Math.abs(seconds) >= length) return spans().format(Math.round(seconds / length), unit);
  return spans().format(Math.round(seconds), "second");
}

/** @param {number} seconds */
export function formatDuration(seconds) {
  const unit = seconds < 90 ? "second" : seconds < 5400 ? "minute" : "hour";
  const value = seconds / { second: 1, minute: 60, hour: 3600 }[unit];
  return formatNumber(value, { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 0 });
}
