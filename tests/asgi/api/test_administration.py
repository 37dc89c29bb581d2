"""`/admin/policy`: versions by ETag and by cursor, for administrators alone."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request

from imagegallery import ImageGallery, Principal, Role, Settings
from imagegallery.database.options import DatabaseOptions
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery_asgi import create_app
from imagegallery_asgi.framework.operations import Operation
from imagegallery_asgi.routes import OPERATIONS

WHY = {"why": "Disks are full."}
SMALL = {"rules": {"max_size": 1_000}, **WHY}


def who(request: Request) -> Principal | None:
    user = request.headers.get("X-User")
    return Principal.user(user, role=Role[request.headers.get("X-Role", "MEMBER")]) if user else None


@pytest.fixture
async def client(database_dsn: str, tmp_path: Path, imaging_engine: ImagingEngine) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator's."""
    settings = Settings(data_dir=tmp_path / "data", database=DatabaseOptions(dsn=database_dsn))
    async with ImageGallery.open(settings, engine=imaging_engine) as gallery:
        transport = httpx.ASGITransport(create_app(gallery, authenticate=who), client=("127.0.0.1", 1))
        headers = {"X-User": "ada", "X-Role": "ADMIN"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://photos.example/api/v1", headers=headers, timeout=60
        ) as client:
            yield client


async def test_it_is_read_changed_listed_and_brought_back(client: httpx.AsyncClient) -> None:
    before = (await client.get("/admin/policy")).json()["data"]
    assert (before["version"], before["rules"], before["in_force"]["hotlinks"]) == (0, {}, True)

    patched = await client.patch("/admin/policy", json=SMALL)
    assert patched.status_code == 200
    assert patched.json()["data"]["in_force"] == {**before["in_force"], "max_size": 1_000}
    await client.patch("/admin/policy", json={"rules": {"max_size": None, "user_rate": "unlimited"}, **WHY})

    first = (await client.get("/admin/policy/versions", params={"limit": 1})).json()
    cursor = first["pagination"]["nextCursor"]
    rest = (await client.get("/admin/policy/versions", params={"limit": 1, "cursor": cursor})).json()
    assert [each["number"] for each in (*first["data"], *rest["data"])] == [2, 1]
    assert rest["data"][0] == {
        "number": 1,
        "rules": {"max_size": 1_000},
        "changed_by": "ada",
        "why": WHY["why"],
        "restores": None,
        "created_at": patched.json()["data"]["updated_at"],
    }
    assert not rest["pagination"]["hasMore"]

    restored = (await client.post("/admin/policy/versions/1/restore", json=WHY)).json()["data"]
    assert (restored["version"], restored["rules"]) == (3, {"max_size": 1_000})
    assert (await client.post("/admin/policy/versions/9/restore", json=WHY)).status_code == 404


async def test_who_changes_what_was_changed_meanwhile_is_told_so(client: httpx.AsyncClient) -> None:
    seen = (await client.get("/admin/policy")).headers["ETag"]
    assert (await client.get("/admin/policy", headers={"If-None-Match": seen})).status_code == 304
    ours = await client.patch("/admin/policy", json=SMALL, headers={"If-Match": seen})
    assert ours.status_code == 200
    theirs = {"rules": {"hotlinks": False}, **WHY}
    assert (await client.patch("/admin/policy", json=theirs, headers={"If-Match": seen})).status_code == 412
    stale = await client.post("/admin/policy/versions/0/restore", json=WHY, headers={"If-Match": seen})
    assert stale.status_code == 412
    now = (await client.get("/admin/policy")).headers["ETag"]
    assert now == ours.headers["ETag"] != seen
    assert (await client.patch("/admin/policy", json=theirs, headers={"If-Match": now})).status_code == 200


async def test_all_that_is_wrong_is_said_at_once(client: httpx.AsyncClient) -> None:
    wrong = {"rules": {"max_size": -1, "originals": "burn", "colour": 1}, "why": ""}
    answer = await client.patch("/admin/policy", json={"rules": wrong["rules"], **WHY})
    assert answer.status_code == 422
    assert [each["path"] for each in answer.json()["faults"]] == [
        ["body", "rules", "max_size"],
        ["body", "rules", "originals"],
        ["body", "rules", "colour"],
    ]
    others: list[object] = [wrong, {"rules": {}}, {"rules": [], **WHY}, {**SMALL, "version": 3}]
    for body in others:
        assert (await client.patch("/admin/policy", json=body)).status_code == 422


ASKED = [
    ("GET", "/admin/policy", None),
    ("PATCH", "/admin/policy", SMALL),
    ("PATCH", "/admin/policy", {"nonsense": 1}),
    ("GET", "/admin/policy/versions", None),
    ("GET", "/admin/policy/versions?cursor=nonsense", None),
    ("POST", "/admin/policy/versions/0/restore", WHY),
    ("POST", "/admin/policy/versions/99/restore", WHY),
    ("POST", "/admin/policy/versions/nonsense/restore", {}),
]


@pytest.mark.parametrize(("method", "path", "body"), ASKED)
async def test_others_are_turned_away_before_anything_is_read(
    client: httpx.AsyncClient, method: str, path: str, body: object
) -> None:
    for headers, status in (
        ({"X-User": ""}, 401),
        ({"X-Role": "MEMBER"}, 403),
        ({"X-Role": "MODERATOR"}, 403),
    ):
        answer = await client.request(method, path, json=body, headers=headers)
        assert answer.status_code == status
    told = (await client.request(method, path, json=body, headers={"X-Role": "MEMBER"})).json()
    assert told["detail"] == "Only administrators can do this."


GOVERNED = [each for each in OPERATIONS if "/admin/" in each.path or each.role is not Role.MEMBER]


@pytest.mark.parametrize("operation", GOVERNED, ids=lambda each: f"{each.method} {each.path}")
async def test_all_that_administrators_do_asks_for_their_role(client: httpx.AsyncClient, operation: Operation) -> None:
    assert operation.role is Role.ADMIN
    path = re.sub(r"{\w+}", "1", operation.path)
    for role in ("MEMBER", "MODERATOR"):
        assert (await client.request(operation.method, path, headers={"X-Role": role})).status_code == 403
    assert (await client.request(operation.method, path, headers={"X-User": ""})).status_code == 401


async def test_named_policies_are_told_as_administrators_have_them(client: httpx.AsyncClient) -> None:
    await client.patch("/admin/policy", json=SMALL)
    (told,) = (await client.get("/policies")).json()["data"]
    assert told["max_size"] == 1_000
