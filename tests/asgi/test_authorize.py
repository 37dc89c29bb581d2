"""The API mounted in FastAPI under the host's rules: what they refuse is refused on every route, in every list, from
every cache, in batches, and in the library itself."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from uuid import UUID

import anyio
import httpx
import pytest
from attrs import define, field
from fastapi import FastAPI
from starlette.requests import Request
from tests.asgi.framework.test_permissions import bodies
from tests.support.photographs import photograph

from imagegallery import Forbidden, ImageGallery, NotFound, Permission, Principal, Settings
from imagegallery.access.authority import AccessSubject
from imagegallery.database.options import DatabaseOptions
from imagegallery.errors import HookFailed
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery_asgi import EVERYTHING, create_app
from imagegallery_asgi.framework.operations import Operation
from imagegallery_asgi.routes import OPERATIONS

ANA = Principal.user("ana")
API = "/pictures/api/v1"
# What tells nothing of anybody's things, or whose address is itself the permission.
OPEN = {"policies", "operational", "files", "links"}


@define
class Rule:
    """What the host says now, and what it was asked."""

    answer: Callable[[Permission, AccessSubject], bool] = lambda _, __: True
    asked: list[tuple[Permission, str, UUID | None]] = field(factory=list)

    async def may(self, principal: Principal, needed: Permission, subject: AccessSubject) -> bool:
        self.asked.append((needed, subject.kind, subject.id))
        return self.answer(needed, subject)


def who(request: Request) -> Principal | None:
    user = request.headers.get("X-User")
    return Principal.user(user) if user else None


@pytest.fixture
def rule() -> Rule:
    return Rule()


@pytest.fixture
async def gallery(
    rule: Rule, database_dsn: str, tmp_path: Path, imaging_engine: ImagingEngine
) -> AsyncIterator[ImageGallery]:
    settings = Settings(data_dir=tmp_path / "data", database=DatabaseOptions(dsn=database_dsn))
    async with ImageGallery.open(settings, engine=imaging_engine, authorize=rule.may) as gallery:
        yield gallery


@pytest.fixture
async def client(gallery: ImageGallery) -> AsyncIterator[httpx.AsyncClient]:
    host = FastAPI()
    host.mount("/pictures", create_app(gallery, authenticate=who, operations=EVERYTHING))
    transport = httpx.ASGITransport(host, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(
        transport=transport, base_url=f"http://shop.example{API}", headers={"X-User": "ana"}, timeout=60
    ) as client:
        yield client


@pytest.fixture
async def things(gallery: ImageGallery) -> dict[str, str]:
    """Ana's own public gallery, an image in it, and an open upload."""
    lisbon = await gallery.galleries.create(ANA, name="Lisbon", visibility="public")
    image = await gallery.uploads.add(ANA, photograph(80, 60), gallery_id=lisbon.id)
    upload = await gallery.uploads.create(ANA, filename="tram.jpg", content_type="image/jpeg", size=9)
    ids = {"gallery_id": lisbon.id, "image_id": image.id, "upload_id": upload.id, "webhook_id": lisbon.id}
    others = ("share_id", "recipient_id", "contribution_id", "export_id", "tag_id", "job_id")
    ids |= dict.fromkeys(others, lisbon.id)
    return {**{name: str(value) for name, value in ids.items()}, "number": "1", "month": "2026-06", "key": "key"}


def path_of(operation: Operation, things: dict[str, str]) -> str:
    return operation.path.replace("{key:path}", "key").format(**things)


async def ask(client: httpx.AsyncClient, operation: Operation, things: dict[str, str]) -> httpx.Response:
    if operation.path.endswith("/uploads") and "{gallery_id}" in operation.path:
        jpeg = {"Content-Type": "image/jpeg"}
        return await client.post(path_of(operation, things), content=photograph(80, 60), headers=jpeg)
    body = bodies(things["image_id"]).get((operation.method, operation.path))
    return await client.request(operation.method, path_of(operation, things), json=body)


async def test_who_may_nothing_gets_nothing_on_any_route(
    client: httpx.AsyncClient, rule: Rule, things: dict[str, str]
) -> None:
    rule.answer = lambda _, __: False
    reached = 0
    for operation in OPERATIONS:
        if operation.tag in OPEN or operation.method == "OPTIONS":
            continue
        answer = await ask(client, operation, things)
        assert answer.status_code >= HTTPStatus.BAD_REQUEST, operation.name
        if "{image_id}" in operation.path or "{gallery_id}" in operation.path:
            refused = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
            assert answer.status_code in refused, operation.name
            reached += 1
    assert reached > 10


async def test_the_rule_is_asked_with_the_permission_that_each_route_declares(
    client: httpx.AsyncClient, rule: Rule, things: dict[str, str]
) -> None:
    for operation in OPERATIONS:
        if "{image_id}" not in operation.path or "{gallery_id}" in operation.path or operation.permission > 32:
            continue
        rule.asked.clear()
        rule.answer = lambda needed, _: needed is Permission.VIEW
        answer = await ask(client, operation, things)
        assert rule.asked, operation.name
        assert operation.permission in rule.asked[0][0] | Permission.VIEW, operation.name
        if operation.permission != Permission.VIEW:
            assert answer.status_code == HTTPStatus.FORBIDDEN, operation.name
            assert answer.json()["detail"] == "The rules of this application do not allow this."


async def test_what_may_not_be_seen_is_not_there(
    client: httpx.AsyncClient, gallery: ImageGallery, rule: Rule, things: dict[str, str]
) -> None:
    rule.answer = lambda _, subject: subject.kind != "image"
    path = f"/images/{things['image_id']}"
    answers = [await client.get(path), await client.patch(path, json={"alt_text": "A tram"})]
    answers += [await client.get(f"/images/{things['upload_id']}")]
    assert {(each.status_code, each.json()["detail"]) for each in answers} == {(404, "There is no such image.")}
    with pytest.raises(NotFound):
        await gallery.images.get(ANA, UUID(things["image_id"]))
    assert await gallery.images.get_many(ANA, [UUID(things["image_id"])]) == {}


async def test_no_cache_serves_what_the_rule_refuses(
    client: httpx.AsyncClient, rule: Rule, things: dict[str, str]
) -> None:
    paths = [f"/galleries/{things['gallery_id']}", f"/galleries/{things['gallery_id']}/images", "/galleries", "/images"]
    for headers in ({"X-User": "ana"}, {"X-User": ""}):
        for path in paths if headers["X-User"] else paths[:3]:
            rule.answer = lambda _, __: True
            for _ in range(2):
                seen = await client.get(path, headers=headers)
                assert (seen.status_code, seen.headers["Cache-Control"]) == (200, "private, no-cache"), path
            rule.answer = lambda _, __: False
            refused = await client.get(path, headers={**headers, "If-None-Match": seen.headers["ETag"]})
            assert refused.status_code in (403, 404), path


async def test_a_list_is_asked_for_once(client: httpx.AsyncClient, rule: Rule, things: dict[str, str]) -> None:
    lists = {
        "/images": "library",
        "/images?trashed=true": "library",
        "/images/timeline": "library",
        "/images/duplicates": "library",
        "/uploads": "library",
        "/me": "library",
        "/galleries?view=own": "galleries",
        "/galleries?view=public": "galleries",
        "/webhooks": "webhooks",
    }
    for path, kind in lists.items():
        rule.answer, rule.asked = (lambda _, __: False), []
        refused = await client.get(path)
        assert (refused.status_code, rule.asked) == (403, [(Permission.VIEW, kind, None)]), path


async def test_a_batch_tells_which_images_it_may_not_touch(
    client: httpx.AsyncClient, gallery: ImageGallery, rule: Rule, things: dict[str, str]
) -> None:
    other = str((await gallery.uploads.add(ANA, photograph(80, 60))).id)
    for action, needed in (("favorite", Permission.EDIT), ("trash", Permission.DELETE), ("delete", Permission.DELETE)):
        rule.asked.clear()
        rule.answer = lambda _, subject: str(subject.id) != other
        body = {"action": action, "ids": [other, things["upload_id"]]}
        results = (await client.post("/images/batch", json=body)).json()["data"]["results"]
        assert [each["code"] for each in results] == ["forbidden", "not_found"]
        assert rule.asked == [(needed, "image", UUID(other))]


async def test_new_things_are_asked_for(client: httpx.AsyncClient, rule: Rule, things: dict[str, str]) -> None:
    rule.answer = lambda needed, _: needed is Permission.VIEW
    jpeg = {"Content-Type": "image/jpeg"}
    upload = {"filename": "tram.jpg", "size": 9}
    refused = [
        await client.post("/galleries", json={"name": "Porto"}),
        await client.post("/uploads", json=upload),
        await client.post("/uploads", json={**upload, "gallery_id": things["gallery_id"]}),
        await client.post("/images", content=photograph(80, 60), headers=jpeg),
        await client.post(f"/galleries/{things['gallery_id']}/uploads", content=photograph(80, 60), headers=jpeg),
        await client.post("/webhooks", json={"url": "https://ana.example"}),
    ]
    assert [each.status_code for each in refused] == [403] * len(refused)


async def test_a_rule_that_fails_or_hangs_allows_nothing(
    client: httpx.AsyncClient,
    gallery: ImageGallery,
    rule: Rule,
    things: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_: Permission, __: AccessSubject) -> bool:
        raise ZeroDivisionError("secret")

    rule.answer = fail
    answer = await client.get(f"/images/{things['image_id']}")
    assert (answer.status_code, answer.json()["code"]) == (503, "hook_failed")
    assert "secret" not in answer.text

    async def hang(*_: object) -> bool:
        await anyio.sleep_forever()
        return True

    monkeypatch.setattr("imagegallery.hooks.HOOK_TIME", timedelta(milliseconds=1))
    gallery._registry.authority.may = hang
    with pytest.raises(HookFailed, match="did not answer in time"):
        await gallery.images.get(ANA, UUID(things["image_id"]))


async def test_its_own_words_are_told(client: httpx.AsyncClient, rule: Rule, things: dict[str, str]) -> None:
    def closed(_: Permission, __: AccessSubject) -> bool:
        raise Forbidden("Not on Sundays.")

    rule.answer = closed
    answer = await client.get(f"/images/{things['image_id']}")
    assert (answer.status_code, answer.json()["detail"]) == (403, "Not on Sundays.")


async def test_events_are_for_who_may_have_them(gallery: ImageGallery, rule: Rule) -> None:
    rule.answer = lambda _, subject: subject.kind != "events"
    with pytest.raises(Forbidden):
        await gallery.events.subscribe(ANA).__aenter__()


async def test_one_rule_is_given_in_one_place(gallery: ImageGallery) -> None:
    with pytest.raises(ValueError, match="already"):
        create_app(gallery, authorize=lambda *_: True)
    with pytest.raises(ValueError, match="needs the gallery"):
        create_app(authorize=lambda *_: True)
    opening = ImageGallery.open(Settings.embedded("nowhere"))
    create_app(opening, authorize=lambda *_: False)
    with pytest.raises(ValueError, match="already"):
        opening.authorize(lambda *_: True)


async def test_images_that_go_with_their_gallery_are_asked_for(
    client: httpx.AsyncClient, gallery: ImageGallery, rule: Rule, things: dict[str, str]
) -> None:
    rule.answer = lambda needed, subject: not (subject.kind == "image" and needed is Permission.DELETE)
    with pytest.raises(Forbidden, match="do not allow"):
        await gallery.galleries.delete(ANA, UUID(things["gallery_id"]), with_images=True)
    assert (await gallery.images.get(ANA, UUID(things["image_id"]))).deleted_at is None
    await gallery.galleries.delete(ANA, UUID(things["gallery_id"]))
