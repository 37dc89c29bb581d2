import assert from "node:assert/strict";
import { test } from "node:test";
import { meanwhile, tagsOf } from "../../../src/imagegallery_asgi/page/app/viewer/edits.js";
import { lifetime, sizesFor, stateOf } from "../../../src/imagegallery_asgi/page/app/viewer/picture.js";

test("what others changed meanwhile counts where it is the same field", () => {
  assert.equal(meanwhile("tram", "yellow tram", "tram"), "again");
  assert.equal(meanwhile("tram", "yellow tram", "yellow tram"), "done");
  assert.equal(meanwhile("tram", "yellow tram", "red tram"), "choose");
  assert.equal(meanwhile(["a"], ["a", "b"], ["a"]), "again");
  assert.equal(meanwhile(["a"], ["b", "a"], ["a", "b"]), "done"); // tags have no order
  assert.equal(meanwhile(null, 3, 5), "choose");
});

test("tags are what lies between commas, each once", () => {
  assert.deepEqual(tagsOf(" Lisbon,tram ,, lisbon;\n two   words "), ["Lisbon", "tram", "two words"]);
  assert.deepEqual(tagsOf(" , "), []);
  assert.deepEqual(tagsOf("<b>x</b>"), ["<b>x</b>"]);
});

test("the browser is asked for another file in steps, not at each pixel", () => {
  assert.equal(sizesFor(701), "800px");
  assert.equal(sizesFor(799.5), "800px");
  assert.equal(sizesFor(0), "1px");
});

test("an image without a file is on its way, or has failed", () => {
  const image = (/** @type {object} */ told) => /** @type {any} */ ({ src: null, processing_status: "pending", ...told });
  assert.equal(stateOf(image({})), "processing");
  assert.equal(stateOf(image({ processing_status: "failed" })), "failed");
  assert.equal(stateOf(image({ processing_status: "failed", src: "/a" })), "shown");
});

test("addresses of public files do not end", () => {
  const ends = (/** @type {string | null} */ expires_at) => lifetime(/** @type {any} */ ({ expires_at }), Date.parse("2026-06-01T10:00:00Z"));
  assert.equal(ends(null), Infinity);
  assert.equal(ends("2026-06-01T10:00:02Z"), 2000);
});
