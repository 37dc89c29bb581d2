/** What administrators, and who signs in, write and read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { rangesOf } from "../../../src/imagegallery_asgi/page/app/account/archive.js";
import { askedBy, byDay, detailsOf, grantOf, thingsOf } from "../../../src/imagegallery_asgi/page/app/account/audit-words.js";
import { keptIn } from "../../../src/imagegallery_asgi/page/app/account/theme.js";
import { nextPath, signInAddress, tokenIn } from "../../../src/imagegallery_asgi/page/app/account/tokens.js";
import { bars, daysUntil, parts } from "../../../src/imagegallery_asgi/page/app/administration/chart.js";
import { bytesIn, counted, sizeText } from "../../../src/imagegallery_asgi/page/app/administration/numbers.js";
import { RULES, differences, draftOf, faultsOf, patchOf } from "../../../src/imagegallery_asgi/page/app/administration/rules.js";

const IN_FORCE = {
  allowed_types: ["image/jpeg", "image/png"], max_size: 20_000_000, storage_limit: null, visitor_rate: "600/minute",
  user_rate: null, upload_rate: "1000/hour", originals: "keep", default_visibility: "private", guest_uploads: false,
  hotlinks: true,
};

test("a token is taken as people paste it, and nothing that a header cannot carry", () => {
  for (const text of ["abc.def-_~+/=", " Bearer abc.def-_~+/=\n", '"abc.def-_~+/="', "Authorization: Bearer abc.def-_~+/=", "abc.\n def-_~+/="])
    assert.equal(tokenIn(text), "abc.def-_~+/=", text);
  for (const text of ["", "  ", "Bearer", "ä", "a\u202eb", "a;b", "<script>", "a".repeat(20_000)])
    assert.equal(tokenIn(text) === null || tokenIn(text) === "Bearer", true, text);
});

test("one comes back to the page, and nowhere else", () => {
  assert.equal(signInAddress("/login?next={next}", "https://a.example/?b=1&c"), "/login?next=https%3A%2F%2Fa.example%2F%3Fb%3D1%26c");
  assert.equal(signInAddress("/login", "https://a.example/"), "/login");
  assert.equal(nextPath("/galleries/1"), "/galleries/1");
  for (const path of [null, "", "//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)"])
    assert.equal(nextPath(path), "/", String(path));
});

test("a theme is one of ours", () => {
  assert.equal(keptIn("a=b; imagegallery_theme=dark"), "dark");
  assert.equal(keptIn("ximagegallery_theme=dark"), "system");
  assert.equal(keptIn("imagegallery_theme=pink"), "system");
});

test("sizes are read as they are written", () => {
  for (const [text, bytes] of [["20 MB", 20e6], ["1.5GiB", 1.5 * 2 ** 30], ["1,5 gb", 1.5e9], ["1000", 1000], ["0", 0], ["4 kB", 4000]])
    assert.equal(bytesIn(text), bytes, text);
  for (const text of ["", "MB", "-1", "1 PBx", "1e9", "unlimited", "1.2345 GB"]) assert.equal(bytesIn(text), null, text);
  for (const bytes of [0, 1, 999, 1_000, 20_000_000, 1.5 * 2 ** 30, 5 * 2 ** 20, 123_456_789]) assert.equal(bytesIn(sizeText(bytes)), bytes);
  assert.equal(sizeText(20_000_000), "20 MB");
});

test("no more is said to be counted than was", () => {
  assert.equal(counted(12, { counted_to: 10_000 }), "12");
  assert.equal(counted(10_000, { counted_to: 10_000 }), "10,000+");
});

test("a draft changes what differs from the rules, and nothing else", () => {
  const rules = { max_size: 20_000_000, hotlinks: true };
  const draft = draftOf(rules, IN_FORCE);
  assert.deepEqual(patchOf(draft, rules), {});
  draft.max_size.text = "5 MB";
  draft.hotlinks.isSaid = false;
  draft.user_rate = { isSaid: true, text: "unlimited" };
  draft.allowed_types = { isSaid: true, text: "image/jpeg,  image/webp" };
  draft.guest_uploads = { isSaid: true, text: "true" };
  draft.storage_limit = { isSaid: true, text: "a lot" };
  assert.deepEqual(patchOf(draft, rules), {
    max_size: 5_000_000, hotlinks: null, user_rate: "unlimited", allowed_types: ["image/jpeg", "image/webp"],
    guest_uploads: true, storage_limit: "a lot",
  });
});

test("each fault stands at its rule", () => {
  const problem = {
    faults: [
      { path: ["body", "rules", "max_size"], message: "must be at most 9" },
      { path: ["body", "why"], message: "must not be empty" },
      { path: ["body", "rules", "colour"], message: "is no rule" },
    ],
  };
  assert.deepEqual(faultsOf(problem), { max_size: "must be at most 9", why: "must not be empty", "": "is no rule" });
  assert.deepEqual(faultsOf({ detail: "No." }), { "": "No." });
});

test("versions differ in what was said, left or changed", () => {
  const found = differences({ max_size: 1, hotlinks: true, originals: "keep" }, { max_size: 2, originals: "keep", user_rate: "1/day" });
  assert.deepEqual(found, [
    { name: "hotlinks", was: true, becomes: undefined },
    { name: "max_size", was: 1, becomes: 2 },
    { name: "user_rate", was: undefined, becomes: "1/day" },
  ]);
  assert.equal(RULES.length, Object.keys(IN_FORCE).length);
});

test("a chart has each day, and nothing that is there is too low to be seen", () => {
  const days = daysUntil(new Date("2026-03-02T10:00:00Z"), 3, [{ day: "2026-03-01", images: 2, bytes: 9 }]);
  assert.deepEqual(days.map((each) => [each.day, each.images]), [["2026-02-28", 0], ["2026-03-01", 2], ["2026-03-02", 0]]);
  assert.equal(bars([0, 1, 1000], { width: 30, height: 100 }), "M11 98h8V100h-8zM21 0h8V100h-8z");
  assert.equal(bars([1000, 0], { width: 20, height: 100, isReversed: true }), "M11 0h8V100h-8z");
  assert.equal(bars([], { width: 20, height: 100 }) + bars([0], { width: 20, height: 100 }), "");
});

test("the parts of a bar fill it, and the least is seen", () => {
  const shares = parts([1_000_000, 1, 0]);
  assert.ok(shares[1].share > 0.003);
  assert.equal(shares[2].share, 0);
  assert.ok(Math.abs(shares.reduce((sum, each) => sum + each.share, 0) - 1) < 1e-9);
  assert.deepEqual(parts([0, 0]), [{ start: 0, share: 0 }, { start: 0, share: 0 }]);
});

test("an entry of the audit says what changed, by what right, and of what", () => {
  assert.deepEqual(detailsOf({ from: "private", to: "public" }), [{ name: "", was: "private", becomes: "public" }]);
  assert.deepEqual(detailsOf({ max_size: [null, 5], jobs: 3 }), [
    { name: "max_size", was: "–", becomes: "5" },
    { name: "jobs", was: null, becomes: "3" },
  ]);
  assert.deepEqual(grantOf("share:7"), { key: "share", id: "7" });
  assert.deepEqual(thingsOf({ image_id: "1", gallery_id: null, share_id: null }), [{ kind: "image", id: "1", path: "/images/1" }]);
  const entry = (id, happened_at) => ({ id, happened_at });
  const days = byDay([entry(1, "2026-03-02T12:00:00Z"), entry(2, "2026-03-02T11:00:00Z"), entry(3, "2026-02-27T12:00:00Z")]);
  assert.deepEqual(days.map(([, acts]) => acts.map(({ id }) => id)), [[1, 2], [3]]);
});

test("a range of days ends with its last day", () => {
  const asked = askedBy(new URLSearchParams("since=2026-03-01&until=2026-03-01&actor=ana"));
  assert.equal(new Date(asked.until).getTime() - new Date(asked.since).getTime(), 86_400_000);
  assert.equal(asked.actor_id, "ana");
  assert.equal(askedBy(new URLSearchParams("since=nonsense")).since, null);
});

test("an archive is fetched in pieces that leave nothing out", () => {
  assert.deepEqual(rangesOf(25, 10), [{ first: 0, last: 9 }, { first: 10, last: 19 }, { first: 20, last: 24 }]);
  assert.deepEqual(rangesOf(0, 10), []);
});
