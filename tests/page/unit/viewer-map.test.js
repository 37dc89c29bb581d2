import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { decode, frame, geoUri, path, project } from "../../../src/imagegallery_asgi/page/app/viewer/world.js";

const file = readFileSync(new URL("../../../src/imagegallery_asgi/page/app/viewer/world.json", import.meta.url));
const world = JSON.parse(file.toString());

/** Whether the land holds a place: how often a line to the north crosses its rings. @param {number} latitude @param {number} longitude */
function isLand(latitude, longitude) {
  let crossings = 0;
  for (const ring of world.land.map(decode))
    for (const [index, to] of ring.entries()) {
      const from = ring.at(index - 1) ?? to;
      for (const turn of [-360, 0, 360]) {
        const [a, b] = [from.longitude + turn, to.longitude + turn];
        if (a > longitude === b > longitude) continue;
        const at = from.latitude + ((longitude - a) / (b - a)) * (to.latitude - from.latitude);
        if (at > latitude) crossings += 1;
      }
    }
  return crossings % 2 === 1;
}

test("the outline of the world is small", () => {
  assert.ok(gzipSync(file, { level: 9 }).length < 40_000);
});

test("land is where it is, and sea where it is not, on both sides of the 180th meridian", () => {
  for (const [latitude, longitude] of [[38.9, -8.5], [48, 2], [-3, -60], [66, 178], [66, -174], [-80, 0], [-80, 90], [-23, 134]])
    assert.ok(isLand(Number(latitude), Number(longitude)), `${latitude}, ${longitude}`);
  for (const [latitude, longitude] of [[30, -40], [-10, -120], [0, 179], [80, 179], [50, -179], [-50, 100]])
    assert.ok(!isLand(Number(latitude), Number(longitude)), `${latitude}, ${longitude}`);
});

test("a line is read as it was written", () => {
  assert.deepEqual(decode("?A"), [{ longitude: 0, latitude: 0.05 }]);
  assert.equal(path("????", true), "M0,0L0,0Z");
});

test("the map is Mercator's: the equator in its middle, angles kept, and an end", () => {
  const near = (/** @type {number} */ a, /** @type {number} */ b) => assert.ok(Math.abs(a - b) < 1e-6, `${a} ${b}`);
  near(project({ latitude: 0, longitude: 12 }).y, 0);
  near(project({ latitude: 85.0511287798, longitude: 0 }).y, project({ latitude: 85, longitude: 0 }).y);
  near(project({ latitude: 45, longitude: 0 }).y, -50.4989867);
  near(project({ latitude: -45, longitude: 0 }).y, 50.4989867);
});

test("a frame has its place in the middle, but shows nothing beyond the ends of the map", () => {
  const lisbon = frame({ latitude: 38.7, longitude: -9.1 }, 40, 2);
  assert.equal(lisbon.x, -29.1);
  assert.equal(lisbon.height, 20);
  const pole = frame({ latitude: 89, longitude: 0 }, 40, 2);
  const top = project({ latitude: 85, longitude: 0 }).y;
  assert.equal(pole.y, top);
  assert.equal(frame({ latitude: 60, longitude: 0 }, 720, 1).y, -360); // all of the map: it lies in the middle
});

test("a place has an address that opens the reader's own maps", () => {
  assert.equal(geoUri({ latitude: -17.80000004, longitude: 178.1 }), "geo:-17.8,178.1");
});
