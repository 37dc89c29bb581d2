import assert from "node:assert/strict";
import { test } from "node:test";

import { ask, begin, carry, goOn, hear, patience } from "../../../src/imagegallery_asgi/page/app/upload/protocol.js";
import { Service, chances } from "./upload-support.js";

const described = { name: "tram.jpg", type: "image/jpeg", size: 5, digest: "00ff".repeat(16), galleryId: "g", onDuplicate: null };
const file = new Blob([Uint8Array.from([1, 2, 3, 4, 5])]);
const answered = (status, headers = {}, body = null) => ({ status, header: (name) => headers[name] ?? null, body });
const io = (service, more = {}) => ({
  send: (asked, body) => service.send(asked, body),
  pause: async () => {},
  chance: () => 0,
  moved: () => {},
  ...more,
});

test("a file takes one request", async () => {
  const service = new Service(() => 1);
  const outcome = await carry(begin("k", described), file, io(service));
  assert.deepEqual([outcome.kind, service.requests, service.images[0].bytes], ["done", 1, [1, 2, 3, 4, 5]]);
});

test("the first request says all about the file", () => {
  const { method, path, query, headers, from } = ask(begin("k", described));
  assert.deepEqual([method, path, from], ["POST", "/uploads/resumable", 0]);
  assert.deepEqual(query, { filename: "tram.jpg", gallery_id: "g", on_duplicate: null });
  assert.equal(headers["Idempotency-Key"], "k");
  assert.match(headers["Repr-Digest"], /^sha-256=:AP8A.*:$/);
});

test("after an interruption it asks how far the service is, and sends the rest", async () => {
  const sent = [];
  const answers = [answered(0), answered(201, { Location: "/u", "Upload-Offset": "2" }), answered(202, {}, { data: { id: "i" } })];
  const send = async (asked, body) => (sent.push([asked.method, body?.size ?? 0]), answers.shift());
  const outcome = await carry(begin("k", described), file, io(null, { send }));
  assert.deepEqual(sent, [["POST", 5], ["POST", 0], ["PATCH", 3]]);
  assert.equal(outcome.image.id, "i");
});

test("one that a page had begun before costs no byte twice", async () => {
  const service = new Service(() => 1);
  await service.send(ask(begin("k", described)), file);
  const outcome = await carry(goOn("k", described), file, io(service));
  assert.deepEqual([outcome.kind, service.requests, service.images.length], ["done", 2, 1]);
});

test("an upload that is over is begun anew, but not for ever", () => {
  let transfer = goOn("k", described);
  for (let anew = 1; anew <= 3; anew += 1) {
    transfer = hear(transfer, answered(410, {}, { code: "upload_expired" })).transfer;
    assert.equal(ask(transfer).headers["Idempotency-Key"], `k-${anew}`);
  }
  assert.equal(hear(transfer, answered(410, {}, { code: "upload_expired" })).kind, "refused");
});

test("what each answer means", () => {
  const kinds = [
    [401, "unauthenticated", "sign-in"], [401, "name_required", "sign-in"],
    [429, "rate_limited", "slow"], [503, "overloaded", "slow"],
    [408, "body_stalled", "again"], [423, "upload_locked", "again"], [409, "offset_mismatch", "again"],
    [409, "upload_interrupted", "again"], [500, "internal_error", "again"], [502, "http_502", "again"],
    [403, "quota_exceeded", "refused"], [403, "forbidden", "refused"], [404, "not_found", "refused"],
    [409, "duplicate", "refused"], [413, "too_large", "refused"], [415, "unsupported_type", "refused"],
    [422, "bad_image", "refused"], [507, "disk_full", "refused"],
  ];
  for (const [status, code, kind] of kinds) assert.equal(hear(begin("k", described), answered(status, {}, { code })).kind, kind, code);
});

test("a service asks for patience, and gets it", async () => {
  const busy = hear(begin("k", described), answered(429, { "Retry-After": "7" }, { code: "rate_limited" }));
  assert.deepEqual([busy.kind, busy.after], ["slow", 7]);
  const waits = [];
  const answers = [answered(423, { "Retry-After": "3" }, { code: "upload_locked" }), answered(202, {}, { data: {} })];
  await carry(begin("k", described), file, io(null, { send: async () => answers.shift(), pause: async (seconds) => waits.push(seconds) }));
  assert.deepEqual(waits, [3]);
  assert.deepEqual([1, 2, 3, 9].map((tried) => patience(tried, 1)), [1, 2, 4, 30]);
});

test("a service that is not to be reached holds up everything; one that fails at a file, this file", async () => {
  const gone = await carry(begin("k", described), file, io(null, { send: async () => answered(0) }));
  assert.deepEqual([gone.kind, gone.code], ["slow", "unreachable"]);
  const broken = await carry(begin("k", described), file, io(null, { send: async () => answered(500, {}, { code: "internal_error" }) }));
  assert.deepEqual([broken.kind, broken.refusal.code, broken.refusal.isFinal], ["refused", "internal_error", false]);
  const going = async (asked) => answered(asked.method === "POST" ? 201 : 204, { Location: "/u", "Upload-Offset": "0" });
  assert.equal((await carry(begin("k", described), file, io(null, { send: going }))).kind, "refused");
});

test("whatever the network does, each file is in once and whole", async () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const chance = chances(seed);
    const service = new Service(chance, 0.6);
    const size = 1 + Math.floor(chance() * 300);
    const bytes = Uint8Array.from({ length: size }, () => chance() * 256);
    let transfer = begin("k", { ...described, size, digest: null });
    for (let visits = 0; ; visits += 1) {
      const outcome = await carry(transfer, new Blob([bytes]), io(service, { tries: 50 }));
      if (outcome.kind === "done") break;
      assert.notEqual(outcome.kind, "refused", `seed ${seed}: ${outcome.refusal?.code}`);
      assert.ok(visits < 200, `seed ${seed} does not end`);
      transfer = chance() < 0.3 ? goOn("k", transfer.described) : outcome.transfer; // some pages are reloaded
    }
    const whole = service.images.filter((image) => Buffer.from(image.bytes).equals(Buffer.from(bytes)));
    assert.deepEqual([service.images.length, whole.length], [1, 1], `seed ${seed}`);
  }
});
