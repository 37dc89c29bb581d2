/** What a grid reads: months in parts, lists by cursor, what happens to them; and the months of a scrubber. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ListSource, TimelineSource } from "../../../src/imagegallery_asgi/page/app/grid/images.js";
import { marksOf, monthAt, monthByKey, yearsOf } from "../../../src/imagegallery_asgi/page/app/grid/months.js";

/** A service with these months of so many images, of which large ones come in parts of 2. */
class Service {
  asked = [];

  constructor(months) {
    this.months = months;
  }

  ids(month) {
    return this.months[month];
  }

  async get(path, { query = {}, signal } = {}) {
    this.asked.push(path + (query.cursor ? `?${query.cursor}` : ""));
    await Promise.resolve();
    if (signal?.aborted) throw signal.reason;
    if (path === "/images/timeline") return { data: { months: Object.keys(this.months).map((month) => this.#count(month)) } };
    const month = /timeline\/([^/]+)\//.exec(path)?.[1];
    if (month) return { data: columns(this.#part(this.ids(month), query.cursor)) };
    if (query.ids) return { data: query.ids.split(",").map(summary) };
    return { data: [] };
  }

  #count(month) {
    const ids = this.ids(month);
    const starts = ids.map((_, index) => index).filter((index) => index % 2 === 0);
    const parts = ids.length > 2 ? starts.map((start) => ({ cursor: `${start}`, count: Math.min(2, ids.length - start) })) : [];
    return { month, count: ids.length, parts };
  }

  #part(ids, cursor) {
    return cursor === undefined ? ids : ids.slice(Number(cursor), Number(cursor) + 2);
  }
}

const columns = (ids) => ({ id: [...ids], ratio: ids.map(() => 1.5), blurhash: ids.map(() => null), taken_at: ids.map(() => "") });
const summary = (id) => ({ id, ratio: 1.5, expires_at: null, taken_at: "", blurhash: null });
const MONTHS = () => ({ "2026-06": ["a", "b", "c", "d", "e"], "2026-05": ["f"], "2025-12": ["g", "h"] });

test("a timeline is known before any image is, and is read where somebody looks", async () => {
  const service = new Service(MONTHS());
  const source = new TimelineSource(service);
  await source.open();
  assert.equal(source.count.value, 8);
  assert.deepEqual(source.sections.map(({ month, count, first, goesOn }) => [month, count, first, goesOn]), [
    ["2026-06", 2, 0, true],
    [null, 2, 2, true],
    [null, 1, 4, false],
    ["2026-05", 1, 5, false],
    ["2025-12", 2, 6, false],
  ]);
  assert.ok(source.sections.every((section) => section.columns === null));
  assert.equal(await source.idAt(3), "d");
  assert.deepEqual(source.sections.map(({ columns }) => columns !== null), [false, true, false, false, false]);
});

test("the viewer finds what is next, over the ends of parts and months, and the ends of all", async () => {
  for (const isOldestFirst of [false, true]) {
    const source = new TimelineSource(new Service(MONTHS()), {}, { isOldestFirst });
    const all = isOldestFirst ? "hgfedcba" : "abcdefgh";
    await source.open();
    assert.equal((await source.all()).join(""), all);
    for (let at = 0; at < 8; at += 1) {
      assert.equal((await source.neighbour(all[at], 1))?.id, all[at + 1]);
      assert.equal((await source.neighbour(all[at], -1))?.summary?.id, all[at - 1]);
    }
    assert.equal((await source.between("b", "f")).length, 5);
    assert.deepEqual(await source.between("f", "b"), await source.between("b", "f"));
  }
});

test("what is left behind is given up; what somebody waits for is not", async () => {
  const source = new TimelineSource(new Service(MONTHS()));
  await source.open();
  const [one, two, three] = source.sections;
  source.need([one]);
  source.need([two]);
  const waited = source.load(three);
  source.need([two]);
  await waited;
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([one, two, three].map(({ columns }) => columns !== null), [false, true, true]);
});

test("images go: their places close, and a month begins with what is left of it", async () => {
  const source = new TimelineSource(new Service(MONTHS()));
  await source.open();
  await source.all();
  source.hear("images-gone", { ids: ["a", "b", "f", "unknown"] });
  assert.equal(source.count.value, 5);
  assert.deepEqual(source.sections.map(({ month, count, first }) => [month, count, first]), [
    ["2026-06", 2, 0],
    [null, 1, 2],
    ["2025-12", 2, 3],
  ]);
  source.hear("image-changed", { ids: ["g"], fields: { is_archived: true } });
  assert.equal(source.count.value, 4);
});

test("images come: only the month that has them is read again, and what was there stays meanwhile", async () => {
  const service = new Service(MONTHS());
  const source = new TimelineSource(service);
  await source.open();
  await source.all();
  service.months["2026-05"] = ["new", "f"];
  service.asked = [];
  await source.open();
  const may = source.sections.find(({ key }) => key.startsWith("2026-05"));
  assert.deepEqual([may.count, may.columns.id], [2, ["f"]]);
  source.need(source.sections);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(service.asked, ["/images/timeline", "/images/timeline/2026-05/images"]);
  assert.deepEqual(may.columns.id, ["new", "f"]);
});

test("what failed says so, and is read when it is tried again", async () => {
  const service = new Service(MONTHS());
  const source = new TimelineSource(service);
  const get = service.get.bind(service);
  service.get = async () => Promise.reject(new Error("away"));
  await source.open();
  assert.equal(source.error.value.message, "away");
  service.get = get;
  await source.retry();
  assert.equal(source.error.value, null);
  service.get = async () => Promise.reject(new Error("away"));
  source.need(source.sections.slice(0, 1));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(source.failures.size, 1);
  service.get = get;
  await source.retry();
  assert.equal(await source.idAt(0), "a");
});

/** A list of so many images, by pages of 100. */
class List {
  constructor(count) {
    this.all = Array.from({ length: count }, (_, index) => `${index}`);
  }

  async get(path, { query }) {
    if (query.ids) return { data: query.ids.split(",").map(summary) };
    const start = Number(query.cursor ?? 0);
    const end = start + query.limit;
    const nextCursor = end < this.all.length ? `${end}` : null;
    return { data: this.all.slice(start, end).map(summary), pagination: { nextCursor } };
  }
}

test("a list grows page by page to its end, with room for what is still to come", async () => {
  for (const total of [null, 250]) {
    const source = new ListSource(new List(250), "/galleries/g/images", {}, { total });
    await source.open();
    assert.equal(source.count.value, total);
    assert.deepEqual(source.sections.map(({ key, count }) => [key, count]), [
      ["list", 100],
      ["more", total === null ? 40 : 150],
    ]);
    assert.equal((await source.all()).length, 250);
    assert.equal(source.count.value, 250);
    assert.equal(source.sections.length, 1);
  }
});

test("a gallery hears of itself alone, keeps what was read, and reads on where something came", async () => {
  const list = new List(250);
  const source = new ListSource(list, "/galleries/g/images", {}, { total: 250 });
  await source.open();
  await source.all();
  assert.deepEqual(source.newsOf("gallery-changed", { id: "other", change: "images" }), {});
  assert.deepEqual(source.newsOf("images-arrived", { ids: ["x"] }), {});
  source.hear("gallery-changed", { id: "g", change: "images", gone: ["0"] });
  assert.equal(source.count.value, 249);
  list.all = list.all.filter((id) => id !== "0").concat("last");
  await source.open();
  assert.equal((await source.all()).at(-1), "last");
});

test("the months of a scrubber: where they are, which years have room, and where its keys lead", () => {
  const months = ["2026-06", "2026-05", "2025-12", "2024-02", "2024-01", "2020-07"];
  const sections = months.flatMap((month) => [{ month }, { month: null }]);
  const marks = marksOf(sections, sections.map((_, index) => index * 10), 100);
  assert.deepEqual(marks.map(({ share }) => share), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(yearsOf(marks, 0.3).map(({ year }) => year), ["2026", "2025"]);
  assert.deepEqual(yearsOf(marks, 0.01).map(({ year }) => year), ["2026", "2025", "2024"]);
  assert.deepEqual([0, 0.19, 0.2, 0.99, 1].map((share) => monthAt(marks, share)), [0, 0, 1, 4, 5]);
  const walk = (here, ...keys) => keys.reduce((at, key) => monthByKey(marks, at, key), here);
  assert.equal(walk(0, "PageDown", "PageDown"), 3);
  assert.equal(walk(4, "PageUp"), 3);
  assert.equal(walk(3, "PageUp"), 2);
  assert.equal(walk(2, "PageUp", "PageUp"), 0);
  assert.equal(walk(5, "ArrowDown", "PageDown", "End"), 5);
  assert.equal(walk(5, "Home", "ArrowUp"), 0);
  assert.equal(walk(0, "Enter"), null);
});
