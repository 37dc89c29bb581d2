import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { Sha256 } from "../../../src/imagegallery_asgi/page/app/upload/sha256.js";

const bytesOf = (length) => Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 7)) & 255);
const expected = (bytes) => createHash("sha256").update(bytes).digest("hex");

test("digests of every length around the blocks, in one piece and in several", () => {
  for (let length = 0; length <= 200; length += 1) {
    const bytes = bytesOf(length);
    assert.equal(new Sha256().update(bytes).hex(), expected(bytes));
    for (const size of [1, 7, 63, 64, 65]) {
      const digest = new Sha256();
      for (let at = 0; at < length; at += size) digest.update(bytes.subarray(at, at + size));
      assert.equal(digest.hex(), expected(bytes), `${length} bytes by ${size}`);
    }
  }
});

test("a few megabytes", () => {
  const bytes = bytesOf(3_000_001);
  assert.equal(new Sha256().update(bytes).hex(), expected(bytes));
});
