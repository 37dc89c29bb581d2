/** Links: what their answers mean to who has one, and what waits for an owner by whom it was added. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { grouped } from "../../../src/imagegallery_asgi/page/app/inbox/groups.js";
import { known } from "../../../src/imagegallery_asgi/page/app/link/known.js";
import { endOf, pathOf, refusalOf, shownOf } from "../../../src/imagegallery_asgi/page/app/link/state.js";

const LISBON = { id: "lisbon", name: "Lisbon", description: "", cover: null, image_count: 2 };
const PORTO = { ...LISBON, id: "porto", name: "Porto" };
const OPENED = { galleries: [LISBON], images: [], library: false };

test("what is wrong with a link is said by its code, or else by its status", () => {
  const told = [
    ["password_required", 401, "password"],
    ["wrong_password", 401, "password"],
    ["visit_required", 401, "limited"],
    ["share_ended", 410, "ended"],
    ["not_found", 404, "missing"],
    ["rate_limited", 429, "busy"],
    ["overloaded", 503, "busy"],
    ["unreachable", 0, "offline"],
    ["internal_error", 500, "failed"],
  ];
  for (const [code, status, refusal] of told) assert.equal(refusalOf(/** @type {any} */ ({ code, status })), refusal);
  assert.equal(endOf({ problem: { details: { reason: "exhausted" } } }), "exhausted");
  assert.equal(endOf({}), "revoked");
});

test("one gallery is shown at once, several lead on, and what is not shared is not there", () => {
  assert.deepEqual(shownOf(/** @type {any} */ (OPENED), undefined), { kind: "gallery", gallery: LISBON });
  const both = /** @type {any} */ ({ ...OPENED, galleries: [LISBON, PORTO] });
  assert.equal(shownOf(both, undefined).kind, "several");
  assert.deepEqual(shownOf(both, "porto"), { kind: "gallery", gallery: PORTO });
  assert.equal(shownOf(both, "diary").kind, "none");
  assert.equal(shownOf(/** @type {any} */ ({ galleries: [], images: [], library: true }), undefined).kind, "library");
  assert.equal(shownOf(/** @type {any} */ ({ ...OPENED, images: [{ id: "tram" }] }), undefined).kind, "several");
  assert.equal(shownOf(/** @type {any} */ ({ galleries: [], images: [], library: false }), undefined).kind, "none");
});

test("a link is one segment of a path, whatever is in it", () => {
  assert.equal(pathOf("a/b?c"), "/s/a%2Fb%3Fc");
  assert.equal(pathOf("x", "lisbon"), "/s/x/galleries/lisbon");
});

test("images that are known are a list, and all else is asked for", async () => {
  const client = { get: async (/** @type {string} */ path) => ({ data: path }) };
  const all = known(/** @type {any} */ (client), [{ id: "tram", width: 3, height: 2 }]);
  assert.deepEqual(await all.get(""), { data: [{ id: "tram", width: 3, height: 2, ratio: 1.5 }] });
  assert.deepEqual(await all.get("/images/tram"), { data: "/images/tram" });
});

test("what one person added to one gallery waits together, the latest first", () => {
  const one = (/** @type {string} */ name, /** @type {string} */ gallery, /** @type {string} */ at, kind = "guest") => ({
    state: "pending", added_by: { kind, name }, share_id: "s", gallery_id: gallery, size: 1, arrived_at: at, image: { id: at },
  });
  const waiting = [one("Inês", "lisbon", "4"), one("Tom", "lisbon", "3"), one("Inês", "lisbon", "2"), one("Inês", "porto", "1"), one("Tom", "lisbon", "0", "user")];
  assert.deepEqual(
    grouped(/** @type {any} */ (waiting)).map(({ kind, name, gallery, latest, all }) => [kind, name, gallery, latest, all.length]),
    [["guest", "Inês", "lisbon", "4", 2], ["guest", "Tom", "lisbon", "3", 1], ["guest", "Inês", "porto", "1", 1], ["user", "Tom", "lisbon", "0", 1]],
  );
});
