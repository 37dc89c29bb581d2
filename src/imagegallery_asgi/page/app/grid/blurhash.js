/** BlurHash: a picture in some thirty characters, to see until the picture itself is there (github.com/woltapp/blurhash). */

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";

/** @param {string} text */
function number(text) {
  let value = 0;
  for (const digit of text) value = value * 83 + DIGITS.indexOf(digit);
  return value;
}

const LINEAR = Float64Array.from({ length: 256 }, (_, value) => {
  const share = value / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
});

/** @param {number} value */
function byte(value) {
  const share = Math.min(Math.max(value, 0), 1);
  return Math.round((share <= 0.0031308 ? share * 12.92 : 1.055 * share ** (1 / 2.4) - 0.055) * 255);
}

/** @param {string | null | undefined} hash @returns {boolean} Whether it is one, by its length and letters. */
export function isBlurHash(hash) {
  if (!hash || hash.length < 6 || [...hash].some((digit) => !DIGITS.includes(digit))) return false;
  const size = number(/** @type {string} */ (hash[0]));
  return hash.length === 4 + 2 * ((size % 9) + 1) * (Math.floor(size / 9) + 1);
}

/** The colour that it is on the whole. @param {string | null | undefined} hash */
export function colour(hash) {
  if (!isBlurHash(hash)) return null;
  return `#${number(/** @type {string} */ (hash).slice(2, 6)).toString(16).padStart(6, "0").slice(-6)}`;
}

/**
 * Its pixels: red, green, blue and full alpha, row by row.
 * @param {string} hash
 * @param {number} width
 * @param {number} height
 */
export function pixels(hash, width, height) {
  const size = number(/** @type {string} */ (hash[0]));
  const [across, down] = [(size % 9) + 1, Math.floor(size / 9) + 1];
  const parts = components(hash, across * down);
  const [alongX, alongY] = [waves(across, width), waves(down, height)];
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0, at = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1, at += 4) {
      let [red, green, blue] = [0, 0, 0];
      for (let j = 0, part = 0; j < down; j += 1)
        for (let i = 0; i < across; i += 1, part += 3) {
          const share = valueAt(alongX, i * width + x) * valueAt(alongY, j * height + y);
          red += valueAt(parts, part) * share;
          green += valueAt(parts, part + 1) * share;
          blue += valueAt(parts, part + 2) * share;
        }
      data.set([byte(red), byte(green), byte(blue), 255], at);
    }
  return data;
}

/** @param {Float64Array} values @param {number} index */
const valueAt = (values, index) => /** @type {number} */ (values[index]);

/**
 * The linear red, green and blue of each component, the average colour first.
 * @param {string} hash
 * @param {number} count
 */
function components(hash, count) {
  const parts = new Float64Array(count * 3);
  const average = number(hash.slice(2, 6));
  parts.set([16, 8, 0].map((shift) => valueAt(LINEAR, (average >> shift) & 255)));
  const most = (number(/** @type {string} */ (hash[1])) + 1) / 166;
  for (let part = 1; part < count; part += 1) {
    const value = number(hash.slice(4 + part * 2, 6 + part * 2));
    const levels = [Math.floor(value / 361), Math.floor(value / 19) % 19, value % 19];
    parts.set(levels.map((level) => Math.sign(level - 9) * ((level - 9) / 9) ** 2 * most), part * 3);
  }
  return parts;
}

/**
 * @param {number} count
 * @param {number} length
 */
function waves(count, length) {
  const made = new Float64Array(count * length);
  for (let wave = 0; wave < count; wave += 1)
    for (let at = 0; at < length; at += 1) made[wave * length + at] = Math.cos((Math.PI * wave * at) / length);
  return made;
}
