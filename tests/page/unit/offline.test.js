import assert from "node:assert/strict";
import { test } from "node:test";
import {
  SMALL,
  below,
  beyond,
  isAnothers,
  isSmall,
  kindOf,
  pictureKey,
} from "../../../src/imagegallery_asgi/page/app/offline/rules.js";

const SCOPE = "https://host.example/photos/";
const at = (path, mode = "cors", method = "GET") => kindOf({ url: SCOPE + path, mode, method }, SCOPE);

test("an address is taken by what it is for", () => {
  assert.equal(at("", "navigate"), "view");
  assert.equal(at("galleries/01a2?sort=name", "navigate"), "view");
  assert.equal(at("page/abc/core/html.js"), "file");
  assert.equal(at("api/v1/objects/token.1/library/images/01a2/small-b6wqui523f.avif", "no-cors"), "picture");
  assert.equal(at("api/v1/me"), "me");
  assert.equal(at("api/v1/images/timeline"), "answer");
  assert.equal(at("api/v1/images/timeline/2026-11/images?archived=false"), "answer");
  assert.equal(at("api/v1/images?limit=50"), "answer");
  assert.equal(at("received-files", "navigate", "POST"), "received");
});

test("everything else is asked of the service", () => {
  for (const path of ["api/v1/shares", "api/v1/galleries", "api/v1/images/01a2", "api/v1/events", "api/v1/audit"])
    assert.equal(at(path), null, path);
  for (const path of ["api/v1/images/01a2/download", "docs", "openapi.json", "sw.js", "healthz"])
    assert.equal(at(path, "navigate"), null, path);
  assert.equal(at("api/v1/images", "cors", "POST"), null);
  assert.equal(kindOf({ url: "https://host.example/other", mode: "navigate", method: "GET" }, SCOPE), null);
  assert.equal(kindOf({ url: "https://cdn.example/photos/", mode: "no-cors", method: "GET" }, SCOPE), null);
});

test("a picture is the same under every signature, and an original is none", () => {
  const object = "library/images/01a2/small-b6wqui523f.avif";
  const key = `${SCOPE}pictures/${object}`;
  for (const way of ["objects/one.1", "objects/two.2", "files", "galleries/01b3/files"])
    assert.equal(pictureKey(`${SCOPE}api/v1/${way}/${object}?download=1`, SCOPE), key, way);
  assert.equal(pictureKey(`${SCOPE}api/v1/objects/one.1/library/images/01a2/original.jpg`, SCOPE), null);
  assert.equal(pictureKey(`${SCOPE}api/v1/objects/one.1/incoming/01a2`, SCOPE), null);
});

test("what is large, of no known length, no picture or not to be stored is not kept", () => {
  const headers = (type, length, control = "private") =>
    new Headers({ "Content-Type": type, "Cache-Control": control, ...(length && { "Content-Length": length }) });
  assert.ok(isSmall(headers("image/webp", `${SMALL}`)));
  assert.ok(!isSmall(headers("image/webp", `${SMALL + 1}`)));
  assert.ok(!isSmall(headers("image/webp", null)));
  assert.ok(!isSmall(headers("application/json", "10")));
  assert.ok(!isSmall(headers("image/webp", "10", "no-store")));
});

test("what was kept first goes first", () => {
  assert.deepEqual(beyond(["a", "b", "c"], 2), ["a"]);
  assert.deepEqual(beyond(["a"], 2), []);
});

test("what one user saw is not another's", () => {
  const me = id => ({ data: { id } });
  assert.ok(isAnothers(me("ada"), me("bob")));
  assert.ok(!isAnothers(me("ada"), me("ada")));
});

test("a path below the mount has no query and no fragment", () => {
  assert.equal(below(`${SCOPE}images/1?x=1#y`, SCOPE), "images/1");
  assert.equal(below("https://host.example/photosother", SCOPE), null);
});
