/** Signals, routes and messages. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { match } from "../../../src/imagegallery_asgi/page/app/core/router.js";
import { translator } from "../../../src/imagegallery_asgi/page/app/core/messages.js";
import { batch, computed, effect, signal, untracked } from "../../../src/imagegallery_asgi/page/app/core/signal.js";

test("an effect follows what it read last, and nothing else", () => {
  const [which, one, two] = [signal("one"), signal(1), signal(10)];
  const seen = [];
  const stop = effect(() => seen.push(which.value === "one" ? one.value : two.value));
  two.value = 11;
  which.value = "two";
  one.value = 2;
  two.value = 12;
  stop();
  two.value = 13;
  assert.deepEqual(seen, [1, 11, 12]);
});

test("changes of a batch are seen as one, also through what is computed of them", () => {
  const [first, last] = [signal("Ana"), signal("Reis")];
  const name = computed(() => `${first.value} ${last.value}`);
  const seen = [];
  effect(() => seen.push(name.value));
  batch(() => {
    first.value = "Eva";
    last.value = "Lima";
  });
  assert.deepEqual(seen, ["Ana Reis", "Eva Lima"]);
});

test("what is read untracked is not followed", () => {
  const count = signal(0);
  let runs = 0;
  effect(() => untracked(() => (runs += 1 + count.value * 0)));
  count.value = 1;
  assert.equal(runs, 1);
});

test("the first route that fits is taken, with what its address names", () => {
  const view = async () => ({ default: { tag: "x" } });
  const routes = [
    { path: "/", view },
    { path: "/galleries/:gallery/images/:id", view, over: "/galleries/:gallery" },
    { path: "/galleries/:gallery", view },
  ];
  assert.equal(match(routes, "/")?.route, routes[0]);
  assert.deepEqual(match(routes, "/galleries/a%20b/images/7/")?.params, { gallery: "a b", id: "7" });
  assert.deepEqual(match(routes, "/galleries/%E0%A4%A")?.params, { gallery: "%E0%A4%A" });
  assert.equal(match(routes, "/elsewhere"), null);
});

test("messages have values, plurals and isolated names", () => {
  const t = translator({ hello: "Hello {name}", many: { one: "{count} image", other: "{count} images" } }, "en");
  assert.equal(t("hello", { name: "<b>" }), "Hello \u2068<b>\u2069");
  assert.equal(t("many", { count: 1 }), "1 image");
  assert.equal(t("many", { count: 1200 }), "1,200 images");
  assert.equal(t("unknown"), "unknown");
});

test("a user is expected where nobody signs in, or where one was before", async () => {
  const module = "../../../src/imagegallery_asgi/page/app/core/session.js";
  for (const [dataset, stored, expected] of [
    [{}, null, true],
    [{ tokens: "" }, null, false],
    [{ signIn: "/login" }, null, false],
    [{ tokens: "" }, "yes", true],
  ]) {
    globalThis.document = { documentElement: { dataset } };
    globalThis.localStorage = { getItem: () => stored };
    const { session } = await import(`${module}?${JSON.stringify([dataset, stored])}`);
    assert.equal(session.expectsUser, expected);
  }
  delete globalThis.document;
  delete globalThis.localStorage;
});
