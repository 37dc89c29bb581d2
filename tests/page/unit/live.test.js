import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStream, pause } from "../../../src/imagegallery_asgi/page/app/core/event-stream.js";

const TEXT = 'retry: 3000\r\n: alive\r\nid: 41\r\n\r\nid: 42\nevent: image.ready\ndata: {"a":\ndata: 1}\n\n: alive\nid: 43\n\n';

test("however the text is cut, the events are the same", () => {
  for (let size = 1; size <= TEXT.length; size += 1) {
    const stream = new EventStream();
    const messages = [];
    for (let at = 0; at < TEXT.length; at += size) messages.push(...stream.push(TEXT.slice(at, at + size)));
    assert.deepEqual(messages, [{ id: "42", type: "image.ready", data: '{"a":\n1}' }]);
    assert.deepEqual([stream.lastId, stream.retry], ["43", 3000]);
  }
});

test("an event cut short by the end of the stream has not come", () => {
  const stream = new EventStream();
  assert.deepEqual(stream.push("id: 9\ndata: half"), []);
  assert.equal(stream.lastId, null);
});

test("pauses grow to a minute, and are never shorter than the service asks", () => {
  assert.equal(pause(0, 0, 0), 500);
  assert.equal(pause(3, 0, 1), 8000);
  assert.equal(pause(50, 0, 1), 60_000);
  assert.equal(pause(0, 30_000, 0.5), 30_000);
});
