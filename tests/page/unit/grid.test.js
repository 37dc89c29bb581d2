/** The grid's layouts, arrangement, track, placeholders and pictures, without a browser. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Arrangement } from "../../../src/imagegallery_asgi/page/app/grid/arrangement.js";
import { colour, isBlurHash, pixels } from "../../../src/imagegallery_asgi/page/app/grid/blurhash.js";
import { estimate, lay, masonry, rows, shownRatio, squares, within } from "../../../src/imagegallery_asgi/page/app/grid/layout.js";
import { Pictures } from "../../../src/imagegallery_asgi/page/app/grid/pictures.js";
import { Track } from "../../../src/imagegallery_asgi/page/app/grid/track.js";

/** Numbers from 0 to 1, the same each time. */
function chances(seed) {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** Ratios as of cameras, with some panoramas and their like. */
function someRatios(count, seed) {
  const chance = chances(seed);
  const oddities = [300, 1 / 300, 1, 0.01, 16];
  return Array.from({ length: count }, () => (chance() < 0.1 ? oddities[Math.floor(chance() * 5)] : 0.5 + chance() * 1.5));
}

const near = (one, other) => Math.abs(one - other) < 0.01;

test("rows fill the width exactly, keep ratios and order, and are about as tall as wished", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const chance = chances(seed);
    const frame = { width: 300 + chance() * 3000, size: 110 + chance() * 200, gap: Math.floor(chance() * 8), goesOn: seed % 2 === 0 };
    const ratios = someRatios(Math.floor(chance() * 120), seed);
    const boxes = rows(ratios, frame);
    let row = 0;
    for (let each = 0; each < ratios.length; each += 1) {
      assert.ok(near(boxes.width[each] / boxes.height[each], shownRatio(ratios[each])));
      const isLast = each + 1 === ratios.length;
      if (!isLast && near(boxes.y[each + 1], boxes.y[each])) {
        assert.ok(near(boxes.x[each] + boxes.width[each] + frame.gap, boxes.x[each + 1]));
        continue;
      }
      const end = boxes.x[each] + boxes.width[each];
      assert.equal(boxes.x[row], 0);
      assert.ok(isLast && !frame.goesOn ? end < frame.width + 0.01 : near(end, frame.width) || ratios.length === each - row + 1, `${seed}: ${end} of ${frame.width}`);
      if (!isLast) assert.ok(near(boxes.y[each + 1], boxes.y[each] + boxes.height[each] + frame.gap));
      if (each > row || !isLast) assert.ok(boxes.height[each] < frame.size * 4.2 && boxes.height[each] > frame.size * 0.3, `${seed}: ${boxes.height[each]} for ${frame.size}`);
      row = each + 1;
    }
  }
});

test("one image, a panorama, a tower and none", () => {
  const frame = { width: 1000, size: 200, gap: 4 };
  assert.deepEqual([...rows([1.5], frame).width], [300]);
  assert.deepEqual([...rows([300], frame).width], [1000]);
  assert.deepEqual([...rows([1 / 300], frame).height], [200]);
  for (const layout of ["rows", "squares", "masonry"]) {
    assert.equal(lay(layout, [], frame).end, 0);
    assert.equal(estimate(layout, 0, frame), 0);
  }
});

test("squares are equal, and as tall together as was estimated", () => {
  for (let count = 1; count < 40; count += 1) {
    const frame = { width: 390, size: 120, gap: 3 };
    const boxes = squares(new Array(count).fill(1.5), frame);
    assert.ok(near(boxes.end, estimate("squares", count, frame)));
    assert.ok(near(boxes.x[Math.min(count, 3) - 1] + boxes.width[0], Math.min(count, 3) * 132 - 3 + (390 - 393) * (Math.min(count, 3) / 3)));
    assert.ok(boxes.width.every((width) => near(width, (390 - 6) / 3)));
  }
});

test("masonry covers nothing twice, and its images start in their order", () => {
  const ratios = someRatios(300, 7);
  const boxes = masonry(ratios, { width: 1200, size: 260, gap: 8 });
  for (let each = 0; each < 300; each += 1) {
    if (each) assert.ok(boxes.y[each] >= boxes.y[each - 1] - 0.6);
    for (let other = 0; other < each; other += 1) {
      const isAside = boxes.x[each] >= boxes.x[other] + boxes.width[other] || boxes.x[other] >= boxes.x[each] + boxes.width[each];
      const isBelow = boxes.y[each] >= boxes.y[other] + boxes.height[other] - 0.01;
      assert.ok(isAside || isBelow);
    }
  }
});

test("what may be seen is found, whatever the layout", () => {
  for (const layout of ["rows", "squares", "masonry"]) {
    const boxes = lay(layout, someRatios(500, 3), { width: 900, size: 180, gap: 4 });
    for (let top = -500; top < boxes.end + 500; top += 333) {
      const [first, end] = within(boxes, top, top + 700);
      for (let each = 0; each < 500; each += 1) {
        const isSeen = boxes.y[each] + boxes.height[each] > top && boxes.y[each] < top + 700;
        if (isSeen) assert.ok(each >= first && each < end);
      }
      assert.ok(end - first < 120);
    }
  }
});

/** Sections of so many images, of which some are there. */
function sectionsOf(counts, loaded = () => true) {
  let first = 0;
  return counts.map((count, number) => {
    const id = Array.from({ length: count }, (_, index) => `${number}-${index}`);
    const columns = { id, ratio: someRatios(count, number + 1), blurhash: id.map(() => null), taken_at: id.map(() => "2026-01-01T00:00:00Z") };
    const section = { key: `${number}`, month: "2026-01", count, goesOn: false, first, columns: loaded(number) ? columns : null };
    first += count;
    return section;
  });
}

const LOOK = { layout: "rows", width: 1000, size: 180, gap: 4, head: 50 };

test("a place is found again after another layout, and after what is above came", () => {
  const sections = sectionsOf([50, 300, 20, 700]);
  const arrangement = new Arrangement();
  arrangement.arrange(sections, LOOK);
  for (let place = 0; place < arrangement.height; place += 777) {
    const anchor = arrangement.anchorAt(place);
    assert.ok(near(arrangement.placeOf(anchor), place));
    if (anchor.id === null) continue;
    const narrow = new Arrangement();
    narrow.arrange(sections, { ...LOOK, width: 400 });
    assert.equal(narrow.anchorAt(narrow.placeOf({ ...anchor, by: 0 }) + 1).key, anchor.key);
  }
  const partly = sectionsOf([50, 300, 20, 700], (number) => number > 1);
  const before = new Arrangement();
  before.arrange(partly, LOOK);
  const anchor = before.anchorAt(before.tops[3] + 500);
  partly[0].columns = sections[0].columns;
  partly[1].columns = sections[1].columns;
  const after = new Arrangement();
  after.arrange(partly, LOOK);
  assert.notEqual(after.tops[3], before.tops[3]);
  assert.ok(near(after.placeOf(anchor) - after.tops[3], 500));
});

test("an image that is seen stays where it is while the gap above it is filled", () => {
  const partly = sectionsOf([300, 20], (number) => number === 1);
  const before = new Arrangement();
  before.arrange(partly, LOOK);
  const place = before.tops[1] - 200;
  const anchor = before.anchorAt(place, 800);
  assert.equal(anchor.id, "1-0");
  partly[0].columns = sectionsOf([300])[0].columns;
  const after = new Arrangement();
  after.arrange(partly, LOOK);
  assert.ok(near(after.tops[1] - after.placeOf(anchor), 200));
  assert.notEqual(after.tops[1], before.tops[1]);
});

test("only a window of a large list is looked at", () => {
  const arrangement = new Arrangement();
  arrangement.arrange(sectionsOf(new Array(500).fill(200), (number) => number < 3), LOOK);
  for (let top = 0; top < arrangement.height; top += 10_007) {
    const [first, end] = arrangement.between(top, top + 900);
    assert.ok(end > first && end - first < 4);
    assert.ok(arrangement.tops[first] <= top && arrangement.bottom(end - 1) >= Math.min(top + 900, arrangement.height));
  }
});

test("down and up by keys lead to the row below and back near to where one was", () => {
  const arrangement = new Arrangement();
  for (const layout of ["rows", "squares", "masonry"]) {
    arrangement.arrange(sectionsOf([200]), { ...LOOK, layout });
    const start = { section: 0, index: 60 };
    const down = arrangement.vertically(start, 1);
    const [from, to] = [arrangement.box(start), arrangement.box(down)];
    assert.ok(to.y >= from.y + from.height && to.y < from.y + from.height + 30);
    assert.equal(arrangement.vertically({ section: 0, index: 0 }, -1), null);
  }
});

test("a track goes on by steps, leaps by shares, and reaches both ends of what is taller than browsers can hold", () => {
  const track = new Track(1_000_000);
  track.view = 1000;
  track.height = 80_000_000;
  for (let step = 1; step <= 100; step += 1) assert.equal(track.moved(step * 100), step * 100);
  assert.equal(track.moved(track.sheet - track.view), track.height - track.view);
  assert.equal(track.moved(0), 0);
  assert.ok(near(track.moved(499_500), (track.height - 1000) / 2));
  track.moved(track.bar + 700);
  const place = track.place;
  const bar = track.settled();
  assert.equal(track.place, place);
  assert.ok(bar === null || near(bar, (place / (track.height - 1000)) * 999_000));
  assert.equal(track.go(track.height), track.sheet - track.view);
});

test("a track stays where it is while what is above it grows", () => {
  const track = new Track();
  track.view = 800;
  track.height = 20_000;
  track.moved(500);
  track.height += 3000;
  track.shift(3000);
  assert.deepEqual([track.bar, track.place, track.offset], [500, 3500, -3000]);
  assert.ok(track.isTight);
  assert.equal(track.settled(), 3500);
  assert.equal(track.offset, 0);
  assert.equal(track.settled(), null);
});

test("a BlurHash has a colour and pixels; what is none has neither", () => {
  const hash = "LEHV6nWB2yk8pyo0adR*.7kCMdnj";
  assert.equal(colour(hash), "#979695");
  const data = pixels(hash, 4, 3);
  // By the reference decoder of blurhash 2.0.5.
  assert.deepEqual([...data.slice(0, 8)], [135, 164, 177, 255, 161, 173, 177, 255]);
  for (const wrong of [null, undefined, "", "L", "LEHV6nWB2yk8pyo0adR*.7kCMdn", "LEHV6nWB2yk8pyo0adR*.7kCMdn\"", "<img src=x onerror=alert(1)>"]) {
    assert.ok(!isBlurHash(wrong));
    assert.equal(colour(wrong), null);
  }
});

const summary = (id, more = {}) => ({ id, expires_at: null, ...more });

test("pictures are asked for by many ids at once, once, and given up when nobody wants them", async () => {
  const asked = [];
  const pictures = new Pictures((ids, ended) => {
    asked.push(ids);
    return new Promise((resolve, reject) => {
      ended.addEventListener("abort", () => reject(new Error("given up")));
      if (!ids.includes("slow")) resolve(ids.filter((id) => id !== "gone").map((id) => summary(id)));
    });
  });
  const ids = Array.from({ length: 250 }, (_, index) => `${index}`);
  const arrived = new Promise((resolve) => pictures.addEventListener("arrived", (event) => event.detail.ids.includes("249") && resolve()));
  pictures.want(ids);
  await arrived;
  assert.deepEqual(asked.map((each) => each.length), [100, 100, 50]);
  const gone = new Promise((resolve) => pictures.addEventListener("gone", (event) => resolve(event.detail.ids)));
  assert.equal(await pictures.one("gone"), null);
  assert.deepEqual(await gone, ["gone"]);
  const slow = pictures.one("slow");
  pictures.want(["1"]);
  await assert.rejects(slow, /given up/);
});

test("an address that ends soon is asked for again, and a change shows at once", () => {
  const pictures = new Pictures(async () => []);
  const now = Date.parse("2026-06-01T12:00:00Z");
  pictures.add([summary("a", { expires_at: "2026-06-01T12:10:00Z", is_favorite: false }), summary("b")]);
  assert.equal(pictures.get("a", now)?.id, "a");
  assert.equal(pictures.get("a", now + 599_000), undefined);
  pictures.change(["b", "c"], { is_favorite: true });
  assert.equal(pictures.get("b")?.is_favorite, true);
  pictures.change(["b"]);
  assert.equal(pictures.get("b"), undefined);
});
