import assert from "node:assert/strict";
import { test } from "node:test";
import { camera, coordinates, exposure, moment, pixels, shutter } from "../../../src/imagegallery_asgi/page/app/viewer/details.js";
import { beside, endOf, indexIn } from "../../../src/imagegallery_asgi/page/app/viewer/neighbours.js";
import { addressOf } from "../../../src/imagegallery_asgi/page/app/viewer/open.js";

const t = (/** @type {string} */ key, /** @type {Record<string, unknown>} */ values = {}) => [key, ...Object.values(values)].join(" ");
const NOTHING = { make: null, model: null, lens: null, exposure_time: null, f_number: null, iso: null, focal_length: null, focal_length_35mm: null, taken_at: null, taken_at_offset: null, altitude: null };

test("a camera's maker is named once", () => {
  assert.equal(camera({ ...NOTHING, make: "Canon", model: "Canon EOS R6" }), "Canon EOS R6");
  assert.equal(camera({ ...NOTHING, make: "NIKON CORPORATION", model: "NIKON Z 6" }), "NIKON Z 6");
  assert.equal(camera({ ...NOTHING, make: "FUJIFILM", model: "X100V" }), "FUJIFILM X100V");
  assert.equal(camera(NOTHING), "");
});

test("an exposure is written as photographers do, of what is known", () => {
  assert.deepEqual([shutter(0.004), shutter(1 / 3), shutter(0.5), shutter(30)], ["1/250", "1/3", "0.5", "30"]);
  const told = { ...NOTHING, exposure_time: 0.004, f_number: 5.6, iso: 160, focal_length: 23, focal_length_35mm: 35 };
  assert.deepEqual(exposure(told, t), ["seconds 1/250", "ƒ/5.6", "ISO 160", "millimetres 23", "millimetres35 35"]);
  assert.deepEqual(exposure({ ...NOTHING, focal_length: 50, focal_length_35mm: 50 }, t), ["millimetres 50"]);
  assert.deepEqual(exposure(NOTHING, t), []);
});

test("a photo was taken when the clock of its camera says, wherever it is looked at", () => {
  const exif = { ...NOTHING, taken_at: "2026-03-29T23:31:05+01:00" };
  assert.match(moment({ taken_at: "2026-03-29T22:31:05Z", exif }), /March 29, 2026.* 11:31\sPM/);
});

test("sizes and places are told in words", () => {
  assert.equal(pixels({ width: 4032, height: 3024 }, t), "4,032 × 3,024 · megapixels 12.2");
  assert.equal(pixels({ width: 80, height: 60 }, t), "80 × 60");
  assert.equal(coordinates({ latitude: -17.8, longitude: 178.1 }, t), "17.8000° south, 178.1000° east");
});

/** A list of months, of which only those that were asked for are known. @param {Record<string, string[]>} months */
function listOf(months) {
  const sections = Object.keys(months).map((key) => ({ key: `${key}/0` }));
  const known = new Set();
  const all = Object.values(months).flat();
  const loaded = () => sections.filter(({ key }) => known.has(key)).flatMap(({ key }) => months[key.slice(0, 7)] ?? []);
  return {
    loads: /** @type {string[]} */ ([]),
    isReady: { value: true },
    count: { value: /** @type {number | null} */ (all.length) },
    sections,
    async open() {},
    async load(/** @type {{key: string}} */ { key }) {
      this.loads.push(key);
      known.add(key);
    },
    indexOf: (/** @type {string} */ id) => (loaded().includes(id) ? all.indexOf(id) : null),
    idAt: async (/** @type {number} */ index) => all[index] ?? null,
    summary: async (/** @type {string} */ id) => ({ id }),
  };
}

test("an image that came by its address is found by its month, and what is beside it with it", async () => {
  const list = listOf({ "2026-06": ["a", "b"], "2026-05": ["c"], "2025-01": ["d", "e"] });
  const image = { id: "d", taken_at: "2025-01-09T00:00:00Z" };
  assert.deepEqual(await beside(list, image), { index: 3, before: "c", after: "e" });
  assert.deepEqual(list.loads, ["2025-01/0"]);
  assert.deepEqual(await beside(list, { id: "a", taken_at: "2026-06-01T00:00:00Z" }), { index: 0, before: null, after: "b" });
  assert.equal(await indexIn(list, { id: "elsewhere", taken_at: null }), null);
});

test("the end of a list is known where its length is", async () => {
  const list = listOf({ "2026-06": ["a", "b", "c"] });
  assert.deepEqual([await endOf(list, -1), await endOf(list, 1)], ["a", "c"]);
  list.count.value = null;
  assert.equal(await endOf(list, 1), null);
});

test("an image lies over the view that it was opened from", () => {
  assert.equal(addressOf("1", "/"), "/images/1");
  assert.equal(addressOf("1", "/trash"), "/images/1");
  assert.equal(addressOf("1", "/galleries/x/images/9"), "/galleries/x/images/1");
  assert.equal(addressOf("1", "/s/abc"), "/s/abc/images/1");
  assert.equal(addressOf("1", "/s/abc/galleries/x"), "/s/abc/galleries/x/images/1");
  assert.equal(addressOf("../a?b", "/"), "/images/..%2Fa%3Fb");
});
