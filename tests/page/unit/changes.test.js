import assert from "node:assert/strict";
import { test } from "node:test";
import { inPieces, pieces } from "../../../src/imagegallery_asgi/page/app/changes/batches.js";
import { Echoes } from "../../../src/imagegallery_asgi/page/app/core/echoes.js";
import { ChangeLog } from "../../../src/imagegallery_asgi/page/app/changes/log.js";
import { gather } from "../../../src/imagegallery_asgi/page/app/core/news.js";
import { UndoStack } from "../../../src/imagegallery_asgi/page/app/changes/undo.js";

test("a refused change gives the former value back", () => {
  const log = new ChangeLog();
  const entry = log.begin(["a", "b"], { is_favorite: true }, () => ({ is_favorite: false }));
  assert.deepEqual(log.over("a"), { is_favorite: true });

  log.settle(entry, ["a"]);
  assert.ok(!log.isEmpty);
  assert.deepEqual([...log.refuse(entry, ["b"])], [["b", { is_favorite: false }]]);
  assert.deepEqual(log.over("a"), {});
  assert.ok(log.isEmpty);
});

test("of two changes under way the refused one does not undo the other", () => {
  const log = new ChangeLog();
  const first = log.begin(["a"], { alt_text: "one" }, () => ({ alt_text: "none" }));
  const second = log.begin(["a"], { alt_text: "two" }, () => ({ alt_text: "one" }));

  assert.deepEqual(log.refuse(first, ["a"]).get("a"), { alt_text: "two" });
  assert.deepEqual(log.refuse(second, ["a"]).get("a"), { alt_text: "none" });
});

test("what was confirmed is what a later refusal gives back", () => {
  const log = new ChangeLog();
  const first = log.begin(["a"], { alt_text: "one" }, () => ({ alt_text: "none" }));
  const second = log.begin(["a"], { alt_text: "two" }, () => ({ alt_text: "one" }));
  log.settle(first, ["a"]);

  assert.deepEqual(log.refuse(second, ["a"]).get("a"), { alt_text: "one" });
});

test("many images go in pieces, each id once, and an error keeps what was done", async () => {
  const ids = Array.from({ length: 2500 }, (_, number) => `${number}`);
  const sent = [];
  const outcome = await inPieces([...ids, "0"], async (piece) => {
    if (sent.push(piece.length) === 3) throw new Error("503");
    return piece.map((id) => ({ id, ok: id !== "7", code: id === "7" ? "not_found" : null }));
  });

  assert.deepEqual(sent, [1000, 1000, 500]);
  assert.equal(outcome.done.length, 1999);
  assert.deepEqual([...outcome.refused], [["7", "not_found"]]);
  assert.equal(outcome.error.message, "503");
  assert.deepEqual(pieces([], 3), []);
});

test("steps are taken back once, the last first, or by their own toast", async () => {
  const undo = new UndoStack();
  const done = [];
  const { takeBack } = undo.push({ label: "one", run: () => done.push("one") });
  undo.push({ label: "two", run: () => done.push("two") });
  undo.push({ label: "three", run: () => done.push("three") }).forget();

  assert.equal(await takeBack(), true);
  assert.equal(await takeBack(), false);
  assert.equal(await undo.back(), true);
  assert.equal(await undo.back(), false);
  assert.deepEqual(done, ["one", "two"]);
});

test("a tab passes over the events of its own changes, each once, and not for ever", () => {
  const echoes = new Echoes();
  echoes.expect("image.deleted", ["a", "a", "b"], 0);

  assert.deepEqual([echoes.isOwn("image.deleted", "a", 1), echoes.isOwn("image.deleted", "a", 1)], [true, true]);
  assert.equal(echoes.isOwn("image.deleted", "a", 1), false);
  assert.equal(echoes.isOwn("image.restored", "b", 1), false);
  assert.equal(echoes.isOwn("image.deleted", "b", 60_000), false);
});

test("a refused change is not expected any more", () => {
  const echoes = new Echoes();
  echoes.expect("image.deleted", ["a"], 0);
  echoes.forget("image.deleted", ["a"]);
  assert.equal(echoes.isOwn("image.deleted", "a", 1), false);
});

test("a thousand events are one piece of news, and what went and came back are two", () => {
  const event = (type, data) => ({ id: "1", type, data });
  const news = gather([
    event("image.deleted", { image_id: "a" }),
    event("image.deleted", { image_id: "b" }),
    event("image.restored", { image_id: "a" }),
    event("gallery.changed", { gallery_id: "g", change: "images" }),
    event("gallery.changed", { gallery_id: "g", change: "images" }),
    event("something.new", {}),
  ]);

  assert.deepEqual(news, [
    { type: "images-gone", detail: { ids: ["a", "b"] } },
    { type: "trash-changed", detail: { arrived: ["a", "b"] } },
    { type: "images-arrived", detail: { ids: ["a"] } },
    { type: "trash-changed", detail: { gone: ["a"] } },
    { type: "gallery-changed", detail: { id: "g", change: "images" } },
  ]);
});
