/** What the panel says of an image, in words: pure but for the language of the page. */
import { formatDate, formatNumber } from "../core/formats.js";

/**
 * @typedef {import("../core/messages.js").Translate} Translate
 * @typedef {{make: string | null, model: string | null, lens: string | null, exposure_time: number | null,
 *   f_number: number | null, iso: number | null, focal_length: number | null, focal_length_35mm: number | null,
 *   taken_at: string | null, taken_at_offset: string | null, altitude: number | null}} Exif
 */

/**
 * The camera, its maker named once.
 * @param {Exif} exif
 */
export function camera({ make, model }) {
  if (!make || !model) return model ?? make ?? "";
  const [first = ""] = make.split(" ");
  return model.toLowerCase().startsWith(first.toLowerCase()) ? model : `${make} ${model}`;
}

/**
 * Time, aperture, sensitivity and focal length, as photographers write them.
 * @param {Exif} exif
 * @param {Translate} t
 */
export function exposure(exif, t) {
  const { exposure_time: time, f_number: aperture, iso, focal_length: length, focal_length_35mm: length35 } = exif;
  const same35 = length !== null && length35 !== null && Math.round(length) === length35;
  return [
    time === null ? "" : t("seconds", { time: shutter(time) }),
    aperture === null ? "" : `ƒ/${formatNumber(aperture, { maximumFractionDigits: 1 })}`,
    iso === null ? "" : `ISO ${iso}`,
    length === null ? "" : t("millimetres", { length: formatNumber(length, { maximumFractionDigits: 1 }) }),
    length35 === null || same35 ? "" : t("millimetres35", { length: formatNumber(length35) }),
  ].filter(Boolean);
}

/**
 * A time of exposure: short ones as a fraction.
 * @param {number} seconds
 */
export function shutter(seconds) {
  if (seconds <= 0 || seconds >= 0.4) return formatNumber(seconds, { maximumFractionDigits: 1 });
  return `1/${Math.round(1 / seconds)}`;
}

/**
 * When it was taken: on the clock of the camera where its file says so, else on the reader's.
 * @param {{taken_at: string, exif: Exif | null}} image
 */
export function moment({ taken_at, exif }) {
  const local = exif?.taken_at?.slice(0, 19);
  const options = /** @type {const} */ ({ dateStyle: "full", timeStyle: "short" });
  if (!local) return formatDate(taken_at, options);
  return formatDate(`${local}Z`, { ...options, timeZone: "UTC" });
}

/**
 * @param {{width: number, height: number}} size
 * @param {Translate} t
 */
export function pixels({ width, height }, t) {
  const millions = (width * height) / 1e6;
  const size = `${formatNumber(width)} × ${formatNumber(height)}`;
  if (millions < 0.1) return size;
  return `${size} · ${t("megapixels", { count: formatNumber(millions, { maximumFractionDigits: 1 }) })}`;
}

/**
 * A place in degrees and the sides of the earth.
 * @param {{latitude: number, longitude: number}} place
 * @param {Translate} t
 */
export function coordinates({ latitude, longitude }, t) {
  const degrees = (/** @type {number} */ value) =>
    `${formatNumber(Math.abs(value), { minimumFractionDigits: 4, maximumFractionDigits: 4 })}°`;
  return `${degrees(latitude)} ${t(latitude < 0 ? "south" : "north")}, ${degrees(longitude)} ${t(longitude < 0 ? "west" : "east")}`;
}
