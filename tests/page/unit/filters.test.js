import assert from "node:assert/strict";
import { test } from "node:test";
import { fromQuery, isEmpty, tidy, toParameters, toQuery } from "../../../src/imagegallery_asgi/page/app/filters/address.js";

const ALL = {
  favorite: true, archived: false, type: "image/jpeg", from: "2026-06-01", to: "2026-06-30", visibility: "private",
  status: "failed", stars: "3", tag: "at sea",
};

test("every filter survives the address, and what else it says stays", () => {
  const query = toQuery(ALL, new URLSearchParams("order=filename&favorite=no"));
  assert.equal(query.get("order"), "filename");
  assert.deepEqual(fromQuery(query), ALL);
  assert.equal(toQuery({}, query).toString(), "order=filename");
  assert.ok(isEmpty(fromQuery(toQuery({}, query))));
});

test("what is in no gallery is a list of its own", () => {
  assert.deepEqual(fromQuery(new URLSearchParams("favorite=yes&loose=yes")), { loose: true });
  assert.deepEqual(toParameters({ loose: true }), { unattached: true });
  assert.equal(toQuery({ loose: true }, new URLSearchParams("favorite=yes")).toString(), "loose=yes");
});

test("an address can say anything: what is no filter is passed over", () => {
  for (const said of [
    "favorite=maybe", "type=text/html", "type=image/%3Cscript%3E", "from=2026-02-31", "from=yesterday", "to=0000-01-01",
    "visibility=everybody", "status=lost", "favorite=", "from=%00",
    "stars=0", "stars=six", "tag=%20", `tag=${"x".repeat(101)}`,
  ]) {
    assert.deepEqual(fromQuery(new URLSearchParams(said)), {}, said);
  }
});

test("days are whole days of the time zone of who asks", () => {
  const { taken_from: from, taken_before: before } = toParameters({ from: "2024-02-29", to: "2024-02-29" });
  assert.equal(new Date(from).valueOf(), new Date(2024, 1, 29).valueOf());
  assert.equal(new Date(before).valueOf(), new Date(2024, 2, 1).valueOf());
  assert.deepEqual(toParameters({ favorite: false, type: "image/png" }), { is_favorite: false, mime_type: "image/png" });
});

test("stars are the least number of them, and tags are text", () => {
  assert.deepEqual(toParameters({ stars: "4", tag: "at sea" }), { rating_from: "4", tag: "at sea" });
});

test("days the wrong way round are turned", () => {
  assert.deepEqual(tidy({ from: "2026-02-01", to: "2026-01-01" }), { from: "2026-01-01", to: "2026-02-01" });
  assert.deepEqual(tidy({ from: "2026-02-01" }), { from: "2026-02-01" });
});
