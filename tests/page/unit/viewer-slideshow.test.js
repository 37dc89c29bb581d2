import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Slideshow } from "../../../src/imagegallery_asgi/page/app/viewer/slideshow.js";

/** What the browser was asked for. @type {string[]} */
let asked = [];
let shown = 0;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  [asked, shown] = [[], 0];
  const wakeLock = { request: async () => (asked.push("awake"), { release: async () => void asked.push("let go") }) };
  Object.defineProperty(globalThis, "navigator", { value: { wakeLock }, configurable: true });
  Object.defineProperty(globalThis, "document", { value: { visibilityState: "visible" }, configurable: true });
});

const started = () => {
  const slideshow = new Slideshow(() => {
    shown += 1;
    slideshow.shown();
  });
  slideshow.start();
  return slideshow;
};

test("each picture is there for the whole time, counted from when it is seen", () => {
  const slideshow = started();
  mock.timers.tick(4000);
  slideshow.shown(); // it took so long to come
  mock.timers.tick(4999);
  assert.equal(shown, 0);
  mock.timers.tick(1);
  assert.equal(shown, 1);
  slideshow.every(30);
  mock.timers.tick(29_999);
  assert.equal(shown, 1);
});

test("a pause holds it, and going on begins the time anew", () => {
  const slideshow = started();
  slideshow.pause();
  mock.timers.tick(60_000);
  assert.equal(shown, 0);
  slideshow.pause();
  mock.timers.tick(5000);
  assert.equal(shown, 1);
});

test("the screen stays on until it ends, and nothing follows then", async () => {
  const slideshow = started();
  await Promise.resolve();
  await Promise.resolve();
  slideshow.stop();
  mock.timers.tick(60_000);
  assert.deepEqual([asked, shown], [["awake", "let go"], 0]);
});

test("where no screen can be kept on it plays all the same", async () => {
  Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  started();
  await Promise.resolve();
  mock.timers.tick(5000);
  assert.equal(shown, 1);
});
