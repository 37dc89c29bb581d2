import assert from "node:assert/strict";
import { test } from "node:test";

import { named, picked, walk } from "../../../src/imagegallery_asgi/page/app/upload/files.js";
import { shown } from "../../../src/imagegallery_asgi/page/app/upload/names.js";
import { Pace } from "../../../src/imagegallery_asgi/page/app/upload/pace.js";
import { refusalBefore, sniff } from "../../../src/imagegallery_asgi/page/app/upload/pictures.js";
import { mayBeTriedAgain, messageOf, sentenceOf } from "../../../src/imagegallery_asgi/page/app/upload/refusals.js";

const limits = { types: ["image/jpeg", "image/png", "image/heic", "image/heif"], maxSize: 50_000_000 };
const bytes = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const jpeg = (name, more = {}) => new File(["\xff"], name, { type: "image/jpeg", ...more });

const fileEntry = (file) => ({ name: file.name, isDirectory: false, file: (resolve) => resolve(file) });
const folderEntry = (name, entries) => ({
  name,
  isDirectory: true,
  createReader: () => {
    const left = [...entries];
    return { readEntries: (resolve) => resolve(left.splice(0, 100)) }; // as Chromium does
  },
});
const all = async (entries) => {
  const [found, left] = [[], []];
  for await (const { file, path } of walk(entries, limits, (name) => left.push(name))) found.push(path + file.name);
  return [found, left];
};

test("folders are walked to their ends, with thousands of files", async () => {
  const many = Array.from({ length: 2_345 }, (_, i) => fileEntry(jpeg(`${i}.jpg`)));
  const [found] = await all([fileEntry(jpeg("a.jpg")), folderEntry("2026", [folderEntry("Lisbon", many), fileEntry(jpeg("b.jpg"))])]);
  assert.equal(found.length, 2_347);
  assert.deepEqual([found[0], found[1], found.at(-1)], ["a.jpg", "2026/b.jpg", "2026/Lisbon/2344.jpg"]);
});

test("of folders only pictures are taken, of files all: each gets its own words", async () => {
  const text = new File(["x"], "notes.txt", { type: "text/plain" });
  const hidden = [".DS_Store", "Thumbs.db", "._tram.jpg"].map((name) => fileEntry(new File(["x"], name)));
  const heic = new File(["x"], "phone.HEIC"); // whose type browsers do not know
  assert.deepEqual(await all([fileEntry(text), folderEntry("f", [fileEntry(text), ...hidden, fileEntry(heic), folderEntry(".git", [fileEntry(jpeg("x.jpg"))])])]), [
    ["notes.txt", "f/phone.HEIC"],
    ["notes.txt"],
  ]);
  const inFolder = Object.defineProperty(jpeg("c.jpg"), "webkitRelativePath", { value: "f/g/c.jpg" });
  assert.deepEqual([...picked([inFolder, text], limits, assert.fail)].map(({ path, file }) => path + file.name), ["f/g/c.jpg", "notes.txt"]);
});

test("what is pasted is named by the time", () => {
  const now = new Date(2026, 10, 30, 9, 5, 7);
  assert.equal(named(new File([], "image.png"), now).name, "2026-11-30 09.05.07.png");
  assert.equal(named(new File([], "tram.png"), now).name, "tram.png");
});

test("first bytes tell the type", () => {
  const heads = [
    ["\xff\xd8\xff\xe0", "image/jpeg"], ["\x89PNG\r\n\x1a\n", "image/png"], ["GIF89a", "image/gif"], ["RIFF1234WEBPVP8 ", "image/webp"],
    ["\0\0\0\x20ftypavif\0\0\0\0", "image/avif"], ["\0\0\0\x20ftypmif1\0\0\0\0mif1heic", "image/heic"], ["\0\0\0\x20ftypmif1\0\0\0\0mif1", "image/heif"],
    ["\0\0\0\x20ftypmp42\0\0\0\0", null], ["PK\x03\x04", null], ["", null], ["<svg onload=alert(1)>", null],
  ];
  for (const [head, type] of heads) assert.equal(sniff(bytes(head)), type, JSON.stringify(head));
});

test("what would be refused is not sent", () => {
  const before = (file, head = null) => refusalBefore(file, limits, head && bytes(head))?.code ?? null;
  const photo = { name: "a.jpg", type: "image/jpeg", size: 1000 };
  assert.equal(before({ ...photo, size: 0 }), "empty_file");
  assert.equal(before({ ...photo, size: 200e6 }), "too_large");
  const archive = { name: "a.zip", type: "application/zip", size: 200e6 };
  assert.deepEqual([before(archive), before(archive, "PK\x03\x04")], [null, "not_a_picture"]);
  assert.equal(before(photo, "GIF89a"), "unsupported_type");
  assert.equal(before({ ...photo, name: "a.dat", type: "" }, "\xff\xd8\xff\xe0"), null);
  assert.equal(before({ ...photo, name: "a.dat", type: "", size: 200e6 }, "\xff\xd8\xff\xe0"), "too_large");
  assert.equal(refusalBefore(photo, { types: ["image/x-raw"], maxSize: null }, bytes("II*\0")), null, "the service knows better");
});

test("names are shown without what turns or hides their letters, and not longer than is read", () => {
  assert.equal(shown("holiday\u202egpj.exe"), "holiday\ufffdgpj.exe");
  assert.equal(shown("<img src=x onerror=alert(1)>.jpg"), "<img src=x onerror=alert(1)>.jpg");
  assert.equal(shown("a\u0000b\u2066\ufeff.jpg"), "a\ufffdb\ufffd\ufffd.jpg");
  const long = shown(`${"a".repeat(300)}.jpg`);
  assert.equal([...long].length, 120);
  assert.match(long, /^a+\u2026a+\.jpg$/);
  assert.equal(shown("صورة.jpg"), "صورة.jpg");
});

test("every refusal has one sentence, and what helps can be tried again", () => {
  const t = (key, { limit, types, detail }) => `${key}|${limit}|${types}|${detail}`;
  const refusal = (code, more = {}) => ({ code, reason: null, details: {}, message: "", isFinal: true, ...more });
  const say = (each) => sentenceOf(each, limits, t, (n) => `${n} B`);
  assert.equal(say(refusal("too_large", { details: { limit: 7 } })), "refusal-too-large|7 B|JPEG, PNG, HEIC|");
  assert.equal(say(refusal("bad_image", { reason: "truncated" })), "refusal-truncated|50000000 B|JPEG, PNG, HEIC|");
  assert.equal(messageOf(refusal("bad_image", { reason: "one of tomorrow" })), "damaged");
  assert.equal(messageOf(refusal("one of tomorrow")), "broken");
  assert.equal(messageOf(refusal("one of tomorrow", { message: "No." })), "said");
  assert.equal(messageOf(refusal("refused")), "refused");
  const again = ["quota_exceeded", "gallery_full", "disk_full", "hook_failed"].map((code) => mayBeTriedAgain(refusal(code)));
  assert.deepEqual(again, [true, true, true, true]);
  assert.deepEqual([mayBeTriedAgain(refusal("empty_file")), mayBeTriedAgain(refusal("x", { isFinal: false }))], [false, true]);
});

test("pace tells the time that is left, once it can", () => {
  const pace = new Pace();
  pace.add(0, 0);
  pace.add(1_000, 1_000);
  assert.equal(pace.left(500), null);
  pace.add(2_000, 4_000);
  assert.deepEqual([pace.rate, pace.left(10_000)], [2_000, 5]);
  pace.add(30_000, 4_000);
  pace.add(31_000, 4_000);
  assert.equal(pace.left(1), null, "nothing goes");
  pace.add(32_000, 10); // some has to be sent again
  assert.equal(pace.rate, null);
});
