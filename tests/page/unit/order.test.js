import assert from "node:assert/strict";
import { test } from "node:test";
import { anchorAt, gapAt, gapOf, inOrder, movesBack, placeOf, reordered } from "../../../src/imagegallery_asgi/page/app/galleries/order.js";

const ORDER = ["a", "b", "c", "d", "e"];

test("images move right before or after another, in the order given", () => {
  assert.deepEqual(reordered(ORDER, ["e"], { before: "a" }), ["e", "a", "b", "c", "d"]);
  assert.deepEqual(reordered(ORDER, ["a", "c"], { after: "d" }), ["b", "d", "a", "c", "e"]);
  assert.deepEqual(reordered(ORDER, ["a"], { after: "gone" }), ORDER);
  assert.deepEqual(reordered(ORDER, ["a"], { before: "gone" }), ORDER);
});

test("a gap becomes a place next to one that stays; where nothing changes there is none", () => {
  assert.deepEqual(anchorAt(ORDER, new Set(["b"]), 4), { after: "d" });
  assert.deepEqual(anchorAt(ORDER, new Set(["c"]), 0), { before: "a" });
  assert.deepEqual(anchorAt(ORDER, new Set(["a", "c"]), 2), { after: "b" });
  assert.equal(anchorAt(ORDER, new Set(["b"]), 1), null);
  assert.equal(anchorAt(ORDER, new Set(["b"]), 2), null);
  assert.equal(anchorAt(ORDER, new Set(ORDER), 2), null);
});

test("every move of any images to any gap can be taken back", () => {
  for (let chosen = 1; chosen < 2 ** ORDER.length; chosen += 1) {
    const moved = new Set(ORDER.filter((_, at) => chosen & (1 << at)));
    for (let gap = 0; gap <= ORDER.length; gap += 1) {
      const anchor = anchorAt(ORDER, moved, gap);
      if (anchor === null) continue;
      let order = reordered(ORDER, inOrder(ORDER, moved), anchor);
      assert.notDeepEqual(order, ORDER);
      for (const { ids, anchor: back } of movesBack(ORDER, moved)) order = reordered(order, ids, back);
      assert.deepEqual(order, ORDER);
    }
  }
});

test("each step by keys is another place, and the number that is told is the one it gets", () => {
  const moved = new Set(["b", "d"]);
  for (let place = 0; place <= 3; place += 1) {
    const gap = gapOf(ORDER, moved, place);
    assert.equal(placeOf(ORDER, moved, gap), place);
    const anchor = anchorAt(ORDER, moved, gap);
    assert.equal(reordered(ORDER, inOrder(ORDER, moved), anchor).indexOf("b"), place);
  }
});

test("a point is in front of a cell in its first half, behind it in its second, as people read", () => {
  const boxes = [0, 1, 2].map((index) => ({ index, left: index * 100, right: index * 100 + 90, top: 0, bottom: 90 }));
  assert.equal(gapAt(boxes, { x: 10, y: 50 }), 0);
  assert.equal(gapAt(boxes, { x: 80, y: 50 }), 1);
  assert.equal(gapAt(boxes, { x: 1000, y: 50 }), 3);
  assert.equal(gapAt(boxes, { x: 80, y: 50 }, true), 0);
  assert.equal(gapAt([], { x: 0, y: 0 }), null);
});
