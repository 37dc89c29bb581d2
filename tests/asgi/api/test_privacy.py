"""Exports and erasures as clients ask for them."""

import io
import zipfile

import httpx
from tests.asgi.conftest import ClientOf
from tests.support.photographs import photograph
from tests.support.waiting import until


def exported(client: httpx.Client) -> dict[str, object]:
    asked = client.post("/me/export")
    assert asked.status_code == 202
    where = asked.headers["Location"].partition("/api/v1")[2]
    assert where == f"/me/exports/{asked.json()['data']['id']}"
    until(lambda: client.get(where).json()["data"]["state"] == "ready")
    export: dict[str, object] = client.get(where).json()["data"]
    return export


def test_an_archive_comes_whole_or_in_parts(owner: httpx.Client, client_of: ClientOf, visitor: httpx.Client) -> None:
    owner.post("/images", content=photograph(80, 60), headers={"Content-Type": "image/jpeg"}).raise_for_status()
    export = exported(owner)
    assert (export["progress"], export["bytes_read"]) == (1.0, export["bytes"])
    assert [each["id"] for each in owner.get("/me/exports").json()["data"]] == [export["id"]]
    assert owner.post("/me/export").json()["data"]["id"] == export["id"], "there is one"

    where = f"/me/exports/{export['id']}/archive"
    whole = owner.get(where)
    assert whole.headers["Content-Type"] == "application/zip"
    assert whole.headers["Content-Disposition"].startswith("attachment; filename=")
    assert int(whole.headers["Content-Length"]) == len(whole.content) == export["size"]
    with zipfile.ZipFile(io.BytesIO(whole.content)) as archive:
        assert archive.testzip() is None
        assert [archive.read(name) for name in archive.namelist() if name.endswith(".jpg")] == [photograph(80, 60)]
    tag = whole.headers["ETag"]
    half = len(whole.content) // 2
    rest = owner.get(where, headers={"Range": f"bytes={half}-", "If-Range": tag})
    assert (rest.status_code, rest.content) == (206, whole.content[half:])
    assert owner.get(where, headers={"Range": "bytes=-22"}).content == whole.content[-22:]
    assert owner.get(where, headers={"Range": f"bytes={len(whole.content)}-"}).status_code == 416
    assert owner.get(where, headers={"Range": "bytes=0-9", "If-Range": '"another"'}).content == whole.content
    assert owner.get(where, headers={"If-None-Match": tag}).status_code == 304
    assert owner.head(where).headers["Content-Length"] == str(export["size"])

    other = client_of("other")
    for client, expected in ((other, 404), (visitor, 401)):
        for answer in (
            client.get(where),
            client.get(where.removesuffix("/archive")),
            client.delete(where[: -len("/archive")]),
        ):
            assert answer.status_code == expected
    assert owner.delete(where.removesuffix("/archive")).status_code == 204
    assert owner.get(where).status_code == 404
    assert owner.get(where.removesuffix("/archive")).json()["data"]["state"] == "ended"


def test_an_archive_is_not_there_before_it_is_ready_or_for_any_id(owner: httpx.Client) -> None:
    unknown = "01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52"
    assert owner.get(f"/me/exports/{unknown}/archive").status_code == 404
    assert owner.get("/me/exports/none/archive").status_code == 422


def test_an_erasure_closes_at_once_and_can_be_taken_back(owner: httpx.Client, visitor: httpx.Client) -> None:
    made = owner.post("/galleries", json={"name": "Lisbon", "visibility": "public"}).json()["data"]
    assert visitor.get(f"/galleries/{made['id']}").status_code == 200
    assert owner.get("/me/erase").status_code == owner.delete("/me/erase").status_code == 404
    asked = owner.post("/me/erase")
    assert asked.status_code == 202
    assert asked.json()["data"]["state"] == "requested"
    assert owner.post("/me/erase").json() == owner.get("/me/erase").json() == asked.json()
    assert visitor.get(f"/galleries/{made['id']}").status_code == 404
    assert owner.delete("/me/erase").status_code == 204
    assert visitor.get(f"/galleries/{made['id']}").status_code == 200
    assert visitor.post("/me/erase").status_code == visitor.post("/me/export").status_code == 401
