"""`/admin`: the policy in versions, the state of the service, and its jobs, for administrators alone."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request

from imagegallery import ImageGallery, Principal, Role, Settings
from imagegallery.database.options import DatabaseOptions
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.queue.job import NewJob
from imagegallery.queue.postgres import PostgresQueue
from imagegallery_asgi import create_app
from imagegallery_asgi.framework.operations import Operation
from imagegallery_asgi.routes import OPERATIONS

WHY = {"why": "Disks are full."}
SMALL = {"rules": {"max_size": 1_000}, **WHY}


def who(request: Request) -> Principal | None:
    user = request.headers.get("X-User")
    return Principal.user(user, role=Role[request.headers.get("X-Role", "MEMBER")]) if user else None


@pytest.fixture
async def gallery(database_dsn: str, tmp_path: Path, imaging_engine: ImagingEngine) -> AsyncIterator[ImageGallery]:
    settings = Settings(data_dir=tmp_path / "data", database=DatabaseOptions(dsn=database_dsn))
    async with ImageGallery.open(settings, engine=imaging_engine) as gallery:
        yield gallery


@pytest.fixture
async def client(gallery: ImageGallery) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator's."""
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


async def test_the_state_of_the_service_is_told(client: httpx.AsyncClient) -> None:
    health = (await client.get("/admin/health")).json()["data"]
    assert health["level"] == "ok"
    assert {"name": "worker", "level": "ok", "detail": "no job has been due for long", "remedy": None} in health[
        "checks"
    ]
    storage = (await client.get("/admin/storage")).json()["data"]
    assert storage["states"][0] == {"state": "images", "count": 0, "bytes": 0, "is_exact": True}
    assert (storage["owners"], storage["used"], storage["growth"]) == (0, 0, [])
    assert (await client.get("/admin/owners")).json() == {
        "data": [],
        "pagination": {"nextCursor": None, "hasMore": False},
    }


async def test_a_dead_job_is_shown_tried_again_and_discarded(client: httpx.AsyncClient, gallery: ImageGallery) -> None:
    resources = gallery._resources
    queue = PostgresQueue(resources.database, resources.clock)
    async with resources.database.transaction() as connection:
        await queue.enqueue(connection, NewJob("work", {"image_id": "7"}), now=resources.clock())
    (job,) = await queue.claim(["work"], limit=1, lease=timedelta(minutes=1))
    jobs = (await client.get("/admin/jobs")).json()["data"]
    assert (jobs["running"], [each["id"] for each in jobs["in_progress"]]) == (1, [str(job.id)])
    await queue.bury(job, error="no such image")

    jobs = (await client.get("/admin/jobs")).json()["data"]
    assert jobs["kinds"] == [{"kind": "work", "waiting": 0, "running": 0, "dead": 1, "due_since": None}]
    (dead,) = (await client.get("/admin/jobs/dead", params={"kind": "work"})).json()["data"]
    assert {**dead, "died_at": None} == {
        "id": str(job.id),
        "kind": "work",
        "payload": {"image_id": "7"},
        "attempts": 1,
        "error": "no such image",
        "died_at": None,
    }
    assert (await client.post(f"/admin/jobs/dead/{job.id}/redrive")).status_code == 204
    assert (await client.post(f"/admin/jobs/dead/{job.id}/redrive")).status_code == 404
    (again,) = await queue.claim(["work"], limit=1, lease=timedelta(minutes=1))
    await queue.bury(again, error="still not")
    many = await client.post("/admin/jobs/dead/redrive", json={"kind": "other"})
    assert many.json()["data"] == {"jobs": 0, "has_more": False}
    assert (await client.delete(f"/admin/jobs/dead/{job.id}")).status_code == 204
    assert (await client.delete(f"/admin/jobs/dead/{job.id}")).status_code == 404
    acts = [each["act"] for each in (await client.get("/admin/audit")).json()["data"]]
    assert acts == ["job.discarded", "job.redriven"]


async def test_one_is_told_what_role_one_has(client: httpx.AsyncClient) -> None:
    for role, told in (("MEMBER", "member"), ("MODERATOR", "moderator"), ("ADMIN", "admin")):
        assert (await client.get("/me", headers={"X-Role": role})).json()["data"]["role"] == told


async def test_named_policies_are_told_as_administrators_have_them(client: httpx.AsyncClient) -> None:
    await client.patch("/admin/policy", json=SMALL)
    (told,) = (await client.get("/policies")).json()["data"]
    assert told["max_size"] == 1_000
