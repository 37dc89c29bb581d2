/** Shares: what a form says and the API gets, what became of them, and their codes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { embedAddress, embedCode } from "../../../src/imagegallery_asgi/page/app/shares/embed.js";
import { qrCode, qrPath } from "../../../src/imagegallery_asgi/page/app/shares/qr.js";
import { daysOf, namedBy, stateOf } from "../../../src/imagegallery_asgi/page/app/shares/state.js";
import {
  NEW_TERMS,
  bodyOf,
  changesOf,
  faultsOf,
  localTime,
  readRecipient,
  termsOf,
} from "../../../src/imagegallery_asgi/page/app/shares/terms.js";

const NOW = Date.parse("2026-06-10T12:00:00Z");
const LISBON = { gallery_id: "lisbon" };
const SHARE = {
  id: "1",
  has_link: true,
  slug: null,
  url: null,
  targets: [LISBON],
  permissions: ["view", "comment", "add_images"],
  metadata: "basic",
  download: "none",
  has_password: true,
  starts_at: null,
  expires_at: "2026-06-20T10:20:30.5Z",
  max_views: 10,
  views: 3,
  note: "",
  approval: true,
  guest_max_images: 500,
  guest_max_bytes: 5 * 1024 ** 3,
  recipients: [
    { user: "ben", permissions: ["view", "download"], download: "original", metadata: "all" },
    { email: "eva@example.org", permissions: null, download: null, metadata: null },
    { user: "joined", permissions: null, download: null, metadata: null, by_link: true },
  ],
  created_at: "2026-06-01T00:00:00Z",
  updated_at: "2026-06-01T00:00:00Z",
  revoked_at: null,
};

test("a new share says what its form does, and what goes with a link only with one", () => {
  assert.deepEqual(bodyOf(NEW_TERMS, [LISBON]), {
    targets: [LISBON],
    link: true,
    permissions: ["view"],
    download: "none",
    metadata: "basic",
    slug: null,
    password: null,
    max_views: null,
    expires_at: null,
    note: "",
    approval: true,
    guest_max_images: 500,
    guest_max_bytes: 5e9,
    recipients: [],
  });
  const ben = /** @type {any} */ (readRecipient(" ben "));
  const named = { ...NEW_TERMS, link: false, password: "open sesame", slug: "x", maxViews: "3", recipients: [{ ...ben, may: "edit" }] };
  const body = bodyOf(named, [{ library: true }]);
  assert.equal("password" in body || "slug" in body || "max_views" in body, false);
  assert.equal("starts_at" in body, true);
  assert.deepEqual(body.recipients, [{ user: "ben", permissions: ["view", "add_images", "edit"], download: "none" }]);
});

test("a form that nobody touched changes nothing", () => {
  assert.deepEqual(changesOf(SHARE, termsOf(SHARE)), {});
});

test("what is changed is all that is sent, and what no form says stays", () => {
  const terms = termsOf(SHARE);
  assert.deepEqual(changesOf(SHARE, { ...terms, download: "original", maxViews: "" }), {
    permissions: ["view", "download", "comment", "add_images"],
    download: "original",
    max_views: null,
  });
  assert.deepEqual(changesOf(SHARE, { ...terms, password: "" }), { password: null });
  assert.deepEqual(changesOf(SHARE, { ...terms, password: "open sesame" }), { password: "open sesame" });
  assert.deepEqual(changesOf(SHARE, { ...terms, expires: "" }), { expires_at: null });
  const { recipients } = changesOf(SHARE, { ...terms, recipients: terms.recipients.slice(0, 1) });
  assert.deepEqual(recipients, [{ user: "ben", metadata: "all", permissions: ["view", "download"], download: "original" }]);
});

test("faults are told by field before anything is sent", () => {
  const wrong = { ...NEW_TERMS, slug: "Not a slug", password: "abc", expires: localTime("2026-06-10T11:00:00Z"), maxViews: "0", may: "add", guestImages: "10001", guestGigabytes: "-1" };
  assert.deepEqual(Object.keys(faultsOf(/** @type {any} */ (wrong), NOW)).sort(), ["expires", "guestGigabytes", "guestImages", "maxViews", "password", "slug"]);
  assert.deepEqual(faultsOf({ ...NEW_TERMS, link: false }, NOW), { recipients: "fault.nobody" });
  assert.deepEqual(faultsOf(NEW_TERMS, NOW), {});
  const past = localTime("2026-06-01T11:00:00Z");
  assert.deepEqual(faultsOf({ ...NEW_TERMS, expires: past }, NOW, past), {});
});

test("who is named is an address by its @, else a user", () => {
  assert.deepEqual(readRecipient("Eva@Example.org")?.kind, "email");
  assert.deepEqual(readRecipient("@eva")?.kind, "user");
  assert.equal(readRecipient("  "), null);
});

test("a share is what ended it first", () => {
  assert.equal(stateOf(SHARE, NOW), "active");
  assert.equal(stateOf({ ...SHARE, views: 10 }, NOW), "exhausted");
  assert.equal(stateOf({ ...SHARE, views: 10, has_link: false }, NOW), "active");
  assert.equal(stateOf({ ...SHARE, views: 10, expires_at: "2026-06-10T12:00:00Z" }, NOW), "expired");
  assert.equal(stateOf({ ...SHARE, revoked_at: "2026-06-02T00:00:00Z" }, NOW), "revoked");
});

test("accesses are counted by day, also days without any", () => {
  const one = { first_at: "", last_at: "", recipient: null };
  const accesses = [
    { ...one, day: "2026-06-10", visitor: "a", opened: 3 },
    { ...one, day: "2026-06-10", visitor: "b", opened: 1 },
    { ...one, day: "2026-06-08", visitor: "a", opened: 2 },
    { ...one, day: "2026-01-01", visitor: "a", opened: 9 },
  ];
  assert.deepEqual(daysOf(accesses, NOW, 3), [
    { day: "2026-06-08", opened: 2, visitors: 1 },
    { day: "2026-06-09", opened: 0, visitors: 0 },
    { day: "2026-06-10", opened: 4, visitors: 2 },
  ]);
});

test("each thing that shares name is looked up once", () => {
  const shares = [{ targets: [LISBON, { image_id: "tram" }] }, { targets: [LISBON, { library: true }] }];
  assert.deepEqual(namedBy(shares), { galleries: ["lisbon"], images: ["tram"] });
});

test("what is embedded is text in an attribute, whatever it is called", () => {
  const address = embedAddress("https://photos.example/shop", { link: "a b" });
  const code = embedCode({ address, title: `"><script>alert('1')</script>`, width: 800, height: 600 });
  assert.equal(code, '<iframe src="https://photos.example/shop/embed/s/a%20b" width="800" height="600" title="&#34;&#62;&#60;script&#62;alert(&#39;1&#39;)&#60;/script&#62;" style="border:0" loading="lazy"></iframe>');
});

/** What zxing reads as this text: the rows of the code as hexadecimal numbers, the first module the highest bit. */
const READ = "1fc89e77f 1047e8941 1758aca5d 17587165d 17582cf5d 1058b9941 1fd55557f 1b60a00 17c6b937c 168242bef 154824156 158550d1e 10fa24d98 30571203 1ecace40e 1889d3ab4 8e4df039 18849e7ee 66f789d6 2ac8ca1e 105c3161b 16a42c8ed 13fab993a 172260f7c 177f791f8 1b86d15 1fc8e4f56 1052f0915 175ce69f8 1757b9237 175a4e3e0 1047d38bc 1fdb9333e";

test("the code of an address is one that a reader has read", () => {
  const code = /** @type {boolean[][]} */ (qrCode("http://127.0.0.1:8000/s/kT3v0c2mQy7rZ9xL4bWn8sHd"));
  assert.equal(code.map((row) => BigInt(`0b${row.map(Number).join("")}`).toString(16)).join(" "), READ);
});

test("a code grows with its text, up to 106 bytes", () => {
  const lengths = [26, 27, 42, 43, 62, 63, 84, 85, 106];
  assert.deepEqual(lengths.map((length) => qrCode("a".repeat(length))?.length), [25, 29, 29, 33, 33, 37, 37, 41, 41]);
  assert.equal(qrCode("a".repeat(107)), null);
  assert.equal(qrPath([[true, false], [false, true]]), "M0 0h1v1h-1zM1 1h1v1h-1z");
});
