import assert from "node:assert/strict";
import { test } from "node:test";

import { AT_ONCE, Queue } from "../../../src/imagegallery_asgi/page/app/upload/queue.js";
import { chances, item } from "./upload-support.js";

const ready = (id, more = {}) => item(id, { state: "ready", checks: false, ...more });
const queueOf = (...items) => {
  const queue = new Queue();
  queue.add(items);
  return queue;
};
const nothing = { read: [], check: [], send: [] };
const states = (queue) => [...queue.items.values()].map((each) => each.state);

test("three are sent at once, in their order", () => {
  const queue = queueOf(...["a", "b", "c", "d", "e"].map((id) => ready(id)));
  assert.deepEqual(queue.next(0).send, ["a", "b", "c"]);
  queue.sending("a");
  queue.sending("b");
  assert.deepEqual(queue.next(0).send, ["c"]);
  queue.done("a", "image");
  assert.deepEqual(queue.next(0).send, ["c", "d"]);
});

test("an item is read, checked, sent", () => {
  const queue = queueOf(item("a"));
  assert.deepEqual(queue.next(0), { ...nothing, read: ["a"] });
  queue.reading("a");
  queue.read("a", { digest: "d", type: "image/png" });
  assert.deepEqual(queue.next(0), { ...nothing, check: ["a"] });
  queue.checking(["a"]);
  assert.deepEqual(queue.next(0), nothing);
  queue.checked(["a"], new Map());
  assert.deepEqual(queue.next(0), { ...nothing, send: ["a"] });
});

test("files are asked about together while there is enough to send", () => {
  const read = Array.from({ length: 24 }, (_, i) => item(`r${i}`, { state: "read", digest: `${i}` }));
  const queue = queueOf(item("new"), ...["a", "b", "c"].map((id) => ready(id)), ...read);
  assert.deepEqual(queue.next(0).check, []);
  queue.add([item("one more", { state: "read", digest: "x" })]);
  assert.equal(queue.next(0).check.length, 25);
});

test("a file that is in waits for the person, and so does its twin in the queue", () => {
  const queue = queueOf(...["a", "b", "c", "trashed"].map((id) => item(id, { state: "checking", digest: id === "c" ? "b" : id })));
  queue.checked(["a", "b", "c", "trashed"], new Map([["a", { imageId: "i", isTrashed: false }], ["trashed", { imageId: "j", isTrashed: true }]]));
  assert.deepEqual(states(queue), ["known", "ready", "known", "ready"]);
  queue.decide(["a"], "skip");
  queue.decide(["c", "b"], "anyway");
  assert.deepEqual(states(queue), ["skipped", "ready", "ready", "ready"]);
  assert.deepEqual([queue.items.get("c").onDuplicate, queue.items.get("b").onDuplicate], ["keep_both", null]);
});

test("the one that is there can join the gallery, and no byte is sent for it", () => {
  const queue = queueOf(item("a", { state: "known", galleryId: "g" }));
  queue.decide(["a"], "existing");
  const { state, onDuplicate, wasBegun } = queue.items.get("a");
  assert.deepEqual([state, onDuplicate, wasBegun], ["ready", "return_existing", true]);
});

test("nothing is sent while paused, offline, signed out or asked to wait; files are read all the same", () => {
  const queue = queueOf(ready("a"), item("b"));
  queue.connected(false);
  assert.deepEqual(queue.next(0), { ...nothing, read: ["b"] });
  queue.connected(true);
  queue.signed("unauthenticated");
  assert.deepEqual(queue.next(0).send, []);
  queue.signed(null);
  queue.slow(5000, "rate_limited");
  queue.slow(3000, "overloaded"); // does not end it earlier
  assert.deepEqual([queue.next(4999).send, queue.next(5000).send], [[], ["a"]]);
  queue.pause();
  assert.deepEqual(queue.next(9000), nothing);
  queue.resume();
  assert.deepEqual(queue.next(0).send, ["a"]);
});

test("one is paused, goes on, is given up", () => {
  const queue = queueOf(ready("a"), ready("b"));
  queue.sending("a");
  queue.hold("a");
  assert.deepEqual([states(queue), queue.next(0).send], [["ready", "ready"], ["b"]]);
  queue.release("a");
  assert.deepEqual(queue.next(0).send, ["a", "b"]);
  queue.remove(["a"]);
  queue.done("a", "image"); // came too late
  assert.deepEqual([states(queue), queue.takeChanges().gone], [["ready"], ["a"]]);
});

test("what was refused for good is a new upload when it is tried again; what was not, the same", () => {
  const refusal = (isFinal) => ({ code: "x", reason: null, details: {}, message: "", isFinal });
  const queue = queueOf(ready("a"), ready("b"));
  for (const id of ["a", "b"]) queue.sending(id);
  queue.refused("a", refusal(true));
  queue.refused("b", refusal(false));
  queue.retry(["a", "b"]);
  const [a, b] = queue.items.values();
  assert.deepEqual([a.attempt, a.wasBegun, a.state], [1, false, "ready"]);
  assert.deepEqual([b.attempt, b.wasBegun, b.state], [0, true, "ready"]);
});

test("a page that is opened again goes on, with what it has", () => {
  const earlier = [
    ready("sending", { state: "sending", wasBegun: true, sent: 500 }), item("reading", { state: "reading" }),
    item("known", { state: "known" }), ready("gone"), ready("done", { state: "done", sent: 1000 }),
  ];
  const queue = new Queue();
  queue.restore(earlier, (id) => id !== "gone");
  assert.deepEqual(states(queue), ["ready", "new", "known", "missing", "done"]);
  assert.equal(queue.items.get("sending").wasBegun, true);
  queue.provide("gone");
  assert.deepEqual(queue.next(0).send, ["sending", "gone"]);
});

test("only what is nowhere else would be lost", () => {
  const queue = queueOf(ready("kept", { isKept: true }), ready("done", { state: "done" }), ready("missing", { state: "missing" }));
  assert.equal(queue.wouldLose, false);
  queue.add([ready("a")]);
  assert.equal(queue.wouldLose, true);
});

test("a file has to fit besides those under way", () => {
  const queue = queueOf(ready("a"), ready("b"));
  assert.equal(queue.fits(queue.items.get("b")), true);
  queue.room = 1500;
  queue.sending("a");
  assert.equal(queue.fits(queue.items.get("b")), false);
  queue.done("a", "i");
  assert.equal(queue.room, 500);
});

test("another tab sees the same", () => {
  const [one, other] = [queueOf(ready("a"), ready("b")), new Queue()];
  const tell = () => {
    const { items, gone } = one.takeChanges();
    other.mirror(structuredClone(items), gone, structuredClone(one.flags));
  };
  tell();
  one.sending("a");
  one.remove(["b"]);
  one.slow(77, "rate_limited");
  tell();
  assert.deepEqual([[...other.items], other.flags], [[...one.items], one.flags]);
  assert.deepEqual(other.totals(), one.totals());
});

test("whatever happens in whatever order, counts hold, three are sent at most, and all ends", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const chance = chances(seed);
    const one = (list) => list[Math.floor(chance() * list.length)];
    const queue = queueOf(...Array.from({ length: 30 }, (_, i) => item(`${i}`, { checks: chance() < 0.8 })));
    const disturb = [
      (id) => queue.hold(id), (id) => queue.release(id), () => queue.pause(), () => queue.resume(), (id) => queue.retry([id]),
      (id) => queue.remove([id]), () => queue.connected(false), () => queue.connected(true), () => queue.signed("unauthenticated"),
      () => queue.signed(null), (id) => queue.decide([id], one(["skip", "anyway", "existing"])), (id) => queue.lost(id),
      (id) => queue.provide(id), () => queue.slow(1, "x"),
    ];
    const step = (now) => {
      const { read, check, send } = queue.next(now);
      for (const id of read) queue.reading(id);
      queue.checking(check);
      for (const id of send) queue.sending(id);
      for (const { id, state, digest } of [...queue.items.values()]) {
        if (state === "reading" && chance() < 0.7) queue.read(id, { digest: `${Math.floor(chance() * 20)}`, type: "image/jpeg" });
        if (state === "checking") chance() < 0.8 ? queue.checked([id], new Map(chance() < 0.2 ? [[digest, { imageId: "i", isTrashed: false }]] : [])) : queue.unchecked([id]);
        if (state === "sending") one([() => queue.done(id, "i"), () => queue.stopped(id), () => queue.moved(id, 7), () => queue.refused(id, { code: "x", isFinal: chance() < 0.5, details: {} })])();
      }
      const { counts } = queue.totals();
      assert.ok(counts.sending <= AT_ONCE, `seed ${seed}`);
      for (const state of new Set(states(queue))) assert.equal(counts[state], states(queue).filter((each) => each === state).length);
    };
    for (let turn = 0; turn < 60; turn += 1) {
      if (chance() < 0.5 && queue.items.size > 0) one(disturb)(one([...queue.items.keys()]));
      step(turn);
    }
    queue.resume();
    queue.connected(true);
    queue.signed(null);
    for (let turn = 0; turn < 5000 && !(queue.isIdle && queue.totals().counts.known === 0); turn += 1) {
      for (const id of queue.items.keys()) {
        queue.release(id);
        queue.decide([id], "skip");
      }
      step(1e9);
    }
    assert.ok(queue.isIdle, `seed ${seed} does not end: ${states(queue)}`);
    assert.deepEqual(states(queue).filter((state) => !["done", "refused", "skipped", "missing"].includes(state)), []);
  }
});
