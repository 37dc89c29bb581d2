import assert from "node:assert/strict";
import { test } from "node:test";

import { NOTHING_TOLD, announce } from "../../../src/imagegallery_asgi/page/app/upload/announcement.js";
import { Queue } from "../../../src/imagegallery_asgi/page/app/upload/queue.js";
import { item } from "./upload-support.js";

test("who listens is told of a beginning, quarters, what needs them and an end, each once", () => {
  const queue = new Queue();
  const said = [];
  let told = NOTHING_TOLD;
  const listen = () => {
    const next = announce(told, queue.totals());
    told = next.told;
    if (next.say) said.push(next.say);
  };
  listen();
  queue.add(Array.from({ length: 100 }, (_, i) => item(`${i}`, { state: "ready", checks: false })));
  for (const id of queue.items.keys()) {
    queue.sending(id);
    for (const sent of [100, 500, 1000]) {
      queue.moved(id, sent);
      listen();
    }
    if (id === "60") queue.refused(id, { code: "bad_image", reason: null, details: {}, message: "", isFinal: true });
    else queue.done(id, id);
    listen();
  }
  assert.deepEqual(said, [
    { key: "said-begun", count: 100 },
    { key: "said-percent", percent: 25 },
    { key: "said-percent", percent: 50 },
    { key: "said-needs", count: 1 },
    { key: "said-percent", percent: 75 },
    { key: "said-needs", count: 1 },
  ]);
});
