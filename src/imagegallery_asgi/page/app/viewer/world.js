/**
 * Where a place is on the map of the world, and the outline that `docs/world_outline.py` wrote. Pure.
 *
 * The map is Mercator's: one unit a degree of longitude, x to the east and y downwards, both 0 where the equator meets
 * Greenwich. Shapes keep their angles, so a place looks as people know it, however near.
 */

/** @typedef {{x: number, y: number}} Point */
/** @typedef {{latitude: number, longitude: number}} Place */
/** @typedef {{land: string[], borders: string[]}} Outline */

export const WIDTH = 360;
/** The map ends here, in degrees: where it would grow without bounds. */
const NORTHMOST = 85;
const STEPS = 20;
const RADIANS = Math.PI / 180;

/** @param {Place} place @returns {Point} */
export function project({ latitude, longitude }) {
  const angle = clamp(latitude, -NORTHMOST, NORTHMOST) * RADIANS;
  return { x: longitude, y: -Math.log(Math.tan(Math.PI / 4 + angle / 2)) / RADIANS };
}

/**
 * The `viewBox` that shows `span` degrees of longitude around a place; it stays on the map above and below.
 *
 * @param {Place} place
 * @param {number} span
 * @param {number} ratio  width divided by height of what it is drawn on
 */
export function frame(place, span, ratio) {
  const { x, y } = project(place);
  const height = span / ratio;
  const limit = -project({ latitude: NORTHMOST, longitude: 0 }).y;
  const top = height >= 2 * limit ? -height / 2 : clamp(y - height / 2, -limit, limit - height);
  return { x: x - span / 2, y: top, width: span, height };
}

/**
 * A line of the outline, as `d` of an SVG path.
 *
 * @param {string} encoded
 * @param {boolean} closed
 */
export function path(encoded, closed) {
  const drawn = decode(encoded).map((place) => {
    const { x, y } = project(place);
    return `${round(x)},${round(y)}`;
  });
  return `M${drawn.join("L")}${closed ? "Z" : ""}`;
}

/** @param {string} encoded @returns {Place[]} */
export function decode(encoded) {
  const places = [];
  let at = 0;
  const next = () => {
    let value = 0;
    let shift = 0;
    let sign;
    do {
      sign = encoded.charCodeAt(at++) - 63;
      value |= (sign & 31) << shift;
      shift += 5;
    } while (sign & 32);
    return value & 1 ? ~(value >> 1) : value >> 1;
  };
  let longitude = 0;
  let latitude = 0;
  while (at < encoded.length) {
    longitude += next();
    latitude += next();
    places.push({ longitude: longitude / STEPS, latitude: latitude / STEPS });
  }
  return places;
}

/** RFC 5870: what opens the place in the reader's own maps. @param {Place} place */
export function geoUri({ latitude, longitude }) {
  return `geo:${degrees(latitude)},${degrees(longitude)}`;
}

/** Six decimals are a tenth of a metre. @param {number} value */
function degrees(value) {
  return String(Number(value.toFixed(6)));
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 100) / 100;
}

/** @param {number} value @param {number} least @param {number} most */
function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}
