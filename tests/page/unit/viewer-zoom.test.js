import assert from "node:assert/strict";
import { test } from "node:test";
import { WHOLE, closer, fit, limit, panned, settled, wheelFactor, zoomed } from "../../../src/imagegallery_asgi/page/app/viewer/zoom.js";

const STAGE = { width: 1000, height: 500 };
const PHOTO = { width: 4000, height: 3000 };

test("a picture is shown whole, and never larger than its own pixels", () => {
  const { width, height } = fit(PHOTO, STAGE);
  assert.deepEqual([Math.round(width), height], [667, 500]);
  assert.deepEqual(fit({ width: 100, height: 80 }, STAGE), { width: 100, height: 80 });
});

test("what is at a point stays there while it grows, and comes back when it shrinks", () => {
  const point = { x: 120, y: -40 };
  const near = zoomed(WHOLE, 3, point);
  const seen = (/** @type {typeof near} */ view) => [(point.x - view.x) / view.scale, (point.y - view.y) / view.scale];
  assert.deepEqual(seen(near), seen(WHOLE));
  const back = zoomed(near, 1, point);
  assert.ok(Math.abs(back.x) < 1e-9 && Math.abs(back.y) < 1e-9);
});

test("a double tap shows the picture's own pixels, or twice the whole of a small one", () => {
  assert.equal(closer(PHOTO, { width: 500, height: 375 }), 8);
  assert.equal(closer({ width: 500, height: 500 }, { width: 500, height: 500 }), 2);
});

test("no gap opens at an edge, and the middle is where there is room", () => {
  const fitted = fit(PHOTO, STAGE);
  const most = limit(PHOTO, fitted);
  const far = settled(panned(zoomed(WHOLE, 2), 9999, -9999), fitted, STAGE, most);
  assert.deepEqual(far, { scale: 2, x: (fitted.width * 2 - 1000) / 2, y: -250 });
  assert.deepEqual(settled({ scale: 0.4, x: 90, y: 20 }, fitted, STAGE, most), WHOLE);
  assert.equal(settled(zoomed(WHOLE, 999), fitted, STAGE, most).scale, most);
});

test("a wheel turned back undoes what it did, whatever it counts in", () => {
  for (const mode of [0, 1, 2]) assert.ok(Math.abs(wheelFactor(3, mode, false) * wheelFactor(-3, mode, false) - 1) < 1e-9);
  assert.ok(wheelFactor(-100, 0, false) > 1.2);
  assert.equal(wheelFactor(1e9, 0, false), wheelFactor(200, 0, false));
  assert.ok(wheelFactor(-10, 0, true) > wheelFactor(-10, 0, false)); // a touch pad pinches in small steps
});
