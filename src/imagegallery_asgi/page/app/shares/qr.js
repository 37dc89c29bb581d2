/**
 * A QR code of a short text (ISO/IEC 18004): bytes, error correction level M, versions 2 to 6. Pure.
 *
 * That is an address of up to 106 bytes; a longer one has no code.
 */

/** By version: all codewords, those of a block that correct errors, and blocks. @typedef {[number, number, number]} Shape */
/** @type {Shape[]} */
const VERSIONS = [
  [44, 16, 1], [70, 26, 1], [100, 18, 2], [134, 24, 2], [172, 16, 4],
];
const SMALLEST = 25;
const MODE_AND_LENGTH = 12; // bits
const BYTE_MODE = 4;
/** @type {any[]} */
const PADDING = [0xec, 0x11];
/** By mask, for level M. @type {any[]} */
const FORMATS = [0x5412, 0x5125, 0x5e7c, 0x5b4b, 0x45f9, 0x40ce, 0x4f97, 0x4aa0];

/** @typedef {(x: number, y: number) => boolean} Mask */
/** @typedef {any[][]} Modules */

/** Where one is true, a module of data is turned round. @type {Mask[]} */
const MASKS = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => ((y >> 1) + Math.floor(x / 3)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

/**
 * The modules of the code, row by row: true is dark.
 * @param {string} text
 * @returns {boolean[][] | null} null for a text that is too long
 */
export function qrCode(text) {
  const bytes = new TextEncoder().encode(text);
  const at = VERSIONS.findIndex(([all, correcting, blocks]) => bytes.length * 8 + MODE_AND_LENGTH <= (all - correcting * blocks) * 8);
  const shape = VERSIONS[at];
  if (!shape) return null;
  const codewords = interleave(dataOf(bytes, shape), shape);
  const drawn = MASKS.map((mask, number) => draw(codewords, SMALLEST + 4 * at, mask, number));
  return drawn.reduce((best, each) => (penalty(each) < penalty(best) ? each : best));
}

/** @param {Uint8Array} bytes @param {Shape} shape @returns {any[]} the codewords of data */
function dataOf(bytes, [all, correcting, blocks]) {
  const data = [(BYTE_MODE << 4) | (bytes.length >> 4)];
  let rest = bytes.length & 15;
  for (const byte of bytes) {
    data.push(((rest << 4) | (byte >> 4)) & 255);
    rest = byte & 15;
  }
  data.push(rest << 4);
  const wanted = all - correcting * blocks;
  for (let at = 0; data.length < wanted; at++) data.push(PADDING[at % 2]);
  return data;
}

/** The first codeword of each block, the second of each, and so on; then what corrects them. @param {number[]} data @param {Shape} shape */
function interleave(data, [, correcting, count]) {
  const each = data.length / count;
  const blocks = Array.from({ length: count }, (_, index) => data.slice(index * each, (index + 1) * each));
  const corrections = blocks.map((block) => remainder(block, correcting));
  return [...woven(blocks), ...woven(corrections)];
}

/** @param {any[]} lists @returns {number[]} */
function woven(lists) {
  return lists[0].flatMap((/** @type {number} */ _, /** @type {number} */ at) => lists.map((each) => each[at]));
}

// --- Reed and Solomon, in the field of 256 elements with the polynomial 0x11d

/** @type {any[]} */ const POWERS = [];
/** @type {any[]} */ const LOGARITHMS = [];
for (let value = 1, power = 0; power < 255; power++) {
  POWERS[power] = value;
  LOGARITHMS[value] = power;
  value = value < 128 ? value << 1 : (value << 1) ^ 0x11d;
}

/** @param {number} one @param {number} other */
function product(one, other) {
  return one && other ? POWERS[(LOGARITHMS[one] + LOGARITHMS[other]) % 255] : 0;
}

/** What corrects a block: the remainder of its division by the generator. @param {number[]} block @param {number} degree */
function remainder(block, degree) {
  /** @type {any[]} */
  let generator = [1];
  for (let power = 0; power < degree; power++) {
    const shifted = [...generator, 0];
    generator = shifted.map((each, at) => each ^ (at ? product(generator[at - 1], POWERS[power]) : 0));
  }
  const rest = [...block, ...Array(degree).fill(0)];
  for (let at = 0; at < block.length; at++) {
    const factor = rest[at];
    generator.forEach((each, place) => (rest[at + place] ^= product(each, factor)));
  }
  return rest.slice(block.length);
}

// --- Modules

/** @param {number[]} codewords @param {number} size @param {Mask} mask @param {number} number the mask's */
function draw(codewords, size, mask, number) {
  /** @type {Modules} */
  const modules = Array.from({ length: size }, () => Array(size));
  /** @type {SetModule} */
  const set = (x, y, dark) => {
    const row = modules[y];
    if (row && x >= 0 && x < size) row[x] = dark;
  };
  /** Rings around a centre, dark but at these distances. @param {number} x @param {number} y @param {number} radius @param {number[]} light */
  const rings = (x, y, radius, light) => {
    for (let dy = -radius; dy <= radius; dy++)
      for (let dx = -radius; dx <= radius; dx++) set(x + dx, y + dy, !light.includes(Math.max(Math.abs(dx), Math.abs(dy))));
  };
  for (let at = 8; at < size - 8; at++) {
    set(at, 6, at % 2 === 0);
    set(6, at, at % 2 === 0);
  }
  rings(size - 7, size - 7, 2, [1]);
  rings(3, 3, 4, [2, 4]);
  rings(size - 4, 3, 4, [2, 4]);
  rings(3, size - 4, 4, [2, 4]);
  drawFormat(set, size, number);
  drawData(modules, codewords, mask);
  return /** @type {boolean[][]} */ (modules);
}

/** @typedef {(x: number, y: number, dark: boolean) => void} SetModule */

/** The level and the mask, twice. @param {SetModule} set @param {number} size @param {number} mask */
function drawFormat(set, size, mask) {
  const bits = FORMATS[mask];
  for (let at = 0; at < 15; at++) {
    const dark = ((bits >> at) & 1) === 1;
    const along = at < 6 ? at : at < 8 ? at + 1 : size - 15 + at;
    set(8, along, dark);
    set(at < 8 ? size - 1 - at : at === 8 ? 7 : 14 - at, 8, dark);
  }
  set(8, size - 8, true);
}

/** In columns of two from the right, up and down in turn, around what is there. @param {Modules} modules @param {number[]} codewords @param {Mask} mask */
function drawData(modules, codewords, mask) {
  const size = modules.length;
  let bit = 0;
  for (let right = size - 1, up = true; right > 0; right -= 2, up = !up) {
    if (right === 6) right = 5; // the column of the clock
    for (let step = 0; step < size; step++) {
      const y = up ? size - 1 - step : step;
      const row = modules[y] ?? [];
      for (const x of [right, right - 1]) {
        if (row[x] !== undefined) continue;
        const dark = (((codewords[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1;
        row[x] = dark !== mask(x, y);
        bit++;
      }
    }
  }
}

/** How hard a code is to read: long runs, and what looks like a finder. The standard counts two more things, which cost more bytes here than they help. @param {boolean[][]} modules */
function penalty(modules) {
  const rows = modules.map((row) => row.map(Number).join(""));
  const columns = rows.map((_, x) => rows.map((row) => row[x]).join(""));
  const lines = [...rows, ...columns].join("\n");
  const runs = [...lines.matchAll(/0{5,}|1{5,}/g)].map(([run]) => run.length - 2);
  const finders = lines.match(/1011101(?=0000)|0000(?=1011101)/g) ?? [];
  return runs.reduce((sum, each) => sum + each, 40 * finders.length);
}

/**
 * The same as the path of an SVG whose unit is a module.
 * @param {boolean[][]} modules
 */
export function qrPath(modules) {
  return modules.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join("");
}
