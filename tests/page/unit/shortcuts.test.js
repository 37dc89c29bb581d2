import assert from "node:assert/strict";
import { test } from "node:test";
import { find, groups, nameOf, useKeys } from "../../../src/imagegallery_asgi/page/app/shortcuts/keys.js";

test("a key is named as a person says it", () => {
  assert.equal(nameOf({ key: "f" }), "f");
  assert.equal(nameOf({ key: "F", shiftKey: true }), "Shift+f");
  assert.equal(nameOf({ key: "F" }), "f"); // the caps are locked
  assert.equal(nameOf({ key: "?", shiftKey: true }), "?");
  assert.equal(nameOf({ key: "ArrowRight", shiftKey: true }), "Shift+ArrowRight");
  assert.equal(nameOf({ key: "a", metaKey: true }), "Ctrl+a");
  assert.equal(nameOf({ key: "a", ctrlKey: true, altKey: true }), "Ctrl+Alt+a");
});

test("the view that came last has a key before those below it", () => {
  const below = { keys: ["Escape"], says: "Choose none", run: () => {} };
  const above = { keys: ["q", "Escape"], says: "Close", run: () => {} };
  const told = { keys: ["Escape"], says: "Listened to by the view itself" };
  const all = [below, above, told].map((each) => ({ title: "", shortcuts: [each] }));
  assert.equal(find(all, "Escape"), above);
  assert.equal(find(all.slice(0, 1), "Escape"), below);
  assert.equal(find(all, "x"), null);
});

test("keys go with their view", () => {
  const life = new AbortController();
  useKeys("Viewer", [{ keys: ["f"], says: "Favourite" }], life.signal);
  assert.deepEqual(groups.value.map(({ title }) => title), ["Viewer"]);
  life.abort();
  assert.deepEqual(groups.value, []);
});
