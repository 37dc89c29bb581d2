import assert from "node:assert/strict";
import { test } from "node:test";
import { placeByKey, places, withRange } from "../../../src/imagegallery_asgi/page/app/selection/ranges.js";

test("a range goes both ways and has both ends", () => {
  assert.deepEqual(places(2, 5), [2, 3, 4, 5]);
  assert.deepEqual(places(5, 2), [2, 3, 4, 5]);
  assert.deepEqual(places(3, 3), [3]);
});

test("a range made shorter gives back what it had covered, but nothing chosen before", () => {
  const before = new Set(["a", "d"]);
  assert.deepEqual([...withRange(before, ["b", "c", "d"])].sort(), ["a", "b", "c", "d"]);
  assert.deepEqual([...withRange(before, ["b"])].sort(), ["a", "b", "d"]);
  assert.deepEqual([...withRange(before, ["c", "d"], false)], ["a"]);
  assert.deepEqual([...before], ["a", "d"]);
});

test("keys lead through rows, either way of reading, and not over the ends", () => {
  const grid = { count: 10, columns: 4 };
  assert.equal(placeByKey("ArrowRight", 1, grid), 2);
  assert.equal(placeByKey("ArrowRight", 1, { ...grid, isRightToLeft: true }), 0);
  assert.equal(placeByKey("ArrowDown", 1, grid), 5);
  assert.equal(placeByKey("ArrowDown", 8, grid), 9);
  assert.equal(placeByKey("ArrowUp", 2, grid), 0);
  assert.equal(placeByKey("End", 2, grid), 9);
  assert.equal(placeByKey("a", 2, grid), null);
  assert.equal(placeByKey("End", 0, { count: 0, columns: 4 }), null);
});
