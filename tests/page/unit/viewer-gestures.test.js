import assert from "node:assert/strict";
import { test } from "node:test";
import { axisOf, carried, isDouble, resisted, swipe, velocityOf } from "../../../src/imagegallery_asgi/page/app/viewer/gestures.js";

const STAGE = { width: 400, height: 800 };
const STILL = { x: 0, y: 0 };

/** @param {Partial<Parameters<typeof swipe>[0]>} move */
const decided = (move, isRightToLeft = false) => swipe({ axis: "across", dx: 0, dy: 0, velocity: STILL, ...move }, STAGE, isRightToLeft);

test("a finger that rests is no move; else it goes across or down", () => {
  assert.equal(axisOf(5, -5), null);
  assert.equal(axisOf(-20, 12), "across");
  assert.equal(axisOf(4, 30), "down");
});

test("speed is that of the end, not of the whole way", () => {
  const slow = [{ x: 0, y: 0, time: 0 }, { x: 300, y: 0, time: 200 }, { x: 301, y: 0, time: 700 }, { x: 301, y: 1, time: 760 }];
  assert.equal(velocityOf(slow).x, 0);
  assert.deepEqual(velocityOf([{ x: 0, y: 0, time: 0 }, { x: 50, y: -10, time: 50 }]), { x: 1, y: -0.2 });
  assert.deepEqual(velocityOf([]), STILL);
});

test("a flick goes on however short it was, and a slow move when it is far", () => {
  assert.equal(carried(-30, -0.6, 400), -1);
  assert.equal(carried(-30, -0.1, 400), 0);
  assert.equal(carried(200, 0, 400), 1);
});

test("who turns back at the end stays", () => {
  assert.equal(carried(200, -0.5, 400), 0);
  assert.equal(decided({ dx: -250, velocity: { x: 0.5, y: 0 } }), "stay");
});

test("the next one comes from where reading goes on", () => {
  assert.equal(decided({ dx: -200 }), "next");
  assert.equal(decided({ dx: 200 }), "previous");
  assert.equal(decided({ dx: -200 }, true), "previous");
  assert.equal(decided({ dx: 200 }, true), "next");
});

test("down closes, up does not", () => {
  assert.equal(decided({ axis: "down", dy: 200 }), "close");
  assert.equal(decided({ axis: "down", dy: 40, velocity: { x: 0, y: 0.8 } }), "close");
  assert.equal(decided({ axis: "down", dy: -300 }), "stay");
});

test("two taps are one double tap where they are close, in time and place", () => {
  const tap = (/** @type {number} */ time, x = 0) => ({ x, y: 0, time });
  assert.ok(isDouble(tap(0), tap(250, 10)));
  assert.ok(!isDouble(tap(0), tap(400)));
  assert.ok(!isDouble(tap(0), tap(100, 90)));
  assert.ok(!isDouble(null, tap(0)));
});

test("where nothing is beyond, the picture follows less and less", () => {
  assert.ok(resisted(100, 400) < 40 && resisted(-100, 400) > -40);
  assert.ok(resisted(4000, 400) < 400 * 0.4);
});
