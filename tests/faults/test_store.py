"""A store that refuses for a while, or is slow: what is asked of the gallery succeeds, or says when to come again."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from uuid import UUID

import anyio
import attrs
import httpx
import pytest
from tests.faults.deployment import settings_of, without
from tests.faults.looking import objects_of, reconcile
from tests.support.servers.bad_store import Asked, BadStore, Mood, Refuse, Stall, for_the_first, well
from tests.support.studio import picture

from imagegallery.gallery import ImageGallery
from imagegallery.images.image.image import ProcessingStatus
from imagegallery.principal import Principal
from imagegallery_asgi import create_app

ME = Principal.user("owner")
QUICK = {
    "IMAGEGALLERY_AWS_MAX_ATTEMPTS": "2",
    "IMAGEGALLERY_AWS_READ_TIMEOUT": "0:00:02",
    "IMAGEGALLERY_QUEUE_BACKOFF_BASE": "0:00:00",
    "IMAGEGALLERY_QUEUE_BACKOFF_LIMIT": "0:00:00",
}
IS: dict[str, Callable[[Asked], bool]] = {
    "stored": lambda asked: asked.method == "PUT" and not asked.copies,
    "looked at": lambda asked: asked.method == "HEAD",
    "read": lambda asked: asked.method == "GET" and "list-type" not in asked.path,
    "copied": lambda asked: asked.copies,
}


@attrs.frozen
class Service:
    """An API in this process, over a store with moods."""

    gallery: ImageGallery
    store: BadStore
    http: httpx.AsyncClient
    gallery_id: UUID

    async def upload(self, body: bytes) -> httpx.Response:
        path = f"/api/v1/galleries/{self.gallery_id}/uploads"
        return await self.http.post(path, content=body, headers={"Content-Type": "image/jpeg"})


@asynccontextmanager
async def serving(environment: dict[str, str]) -> AsyncIterator[Service]:
    async with BadStore.before(environment["IMAGEGALLERY_STORAGE_S3_ENDPOINT_URL"]) as store:
        changed = {**without(environment, "_SQS_", "REDIS"), **QUICK, "IMAGEGALLERY_STORAGE_S3_ENDPOINT_URL": store.url}
        settings = await anyio.to_thread.run_sync(settings_of, changed)
        async with ImageGallery.open(settings) as gallery:
            transport = httpx.ASGITransport(create_app(gallery), client=("127.0.0.1", 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
                made = await gallery.galleries.create(ME, name="Lisbon")
                yield Service(gallery, store, http, made.id)


def refusing(kind: str) -> Mood:
    return lambda asked: Refuse() if IS[kind](asked) else None


@asynccontextmanager
async def bad_day(service: Service, mood: Mood) -> AsyncIterator[None]:
    service.store.mood = mood
    yield
    assert service.store.spoilt
    service.store.mood = well
    service.store.spoilt.clear()


async def test_an_upload_survives_one_refusal(environment: dict[str, str]) -> None:
    async with serving(environment) as service:
        for number, kind in enumerate(IS):
            async with bad_day(service, for_the_first(1, refusing(kind))):
                answer = await service.upload(picture(200 + number, 150))
            assert answer.status_code == HTTPStatus.ACCEPTED, f"{kind}: {answer.text}"


async def test_an_upload_that_keeps_being_refused_is_told_when_to_come_again(environment: dict[str, str]) -> None:
    async with serving(environment) as service:
        for number, kind in enumerate(IS):
            body = picture(200 + number, 150)
            async with bad_day(service, refusing(kind)):
                answer = await service.upload(body)
                assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE, f"{kind}: {answer.text}"
                assert int(answer.headers["Retry-After"]) > 0
            assert len(await objects_of(service.gallery.settings)) == number, kind
            assert (await service.upload(body)).status_code == HTTPStatus.ACCEPTED
            assert len(await objects_of(service.gallery.settings)) == number + 1
            assert (await service.gallery.galleries.get(ME, service.gallery_id)).image_count == number + 1


@pytest.mark.parametrize("kind", ["stored", "read"])
async def test_processing_waits_for_the_store(environment: dict[str, str], small_picture: Path, kind: str) -> None:
    async with serving(environment) as service:
        image_id = UUID((await service.upload(small_picture.read_bytes())).json()["data"]["id"])
        async with bad_day(service, for_the_first(4, refusing(kind))), service.gallery.worker():
            with anyio.fail_after(300):
                image = await service.gallery.images.wait_until_ready(ME, image_id)
            assert len(service.store.spoilt) == 4
        assert image.status is ProcessingStatus.COMPLETE
        assert await reconcile(service.gallery, repair=False) == []


async def test_a_slow_read_holds_nobody_else_up(environment: dict[str, str], small_picture: Path) -> None:
    async with serving(environment) as service:
        body = small_picture.read_bytes()
        answer = await service.upload(body)
        key = (await service.gallery.images.get(ME, UUID(answer.json()["data"]["id"]))).original_key
        goes_on = anyio.Event()
        read: list[bytes] = []

        async def read_it() -> None:
            async with service.gallery.server.store.get(key) as stream:
                read.extend([chunk async for chunk in stream.chunks])

        stalling = for_the_first(1, lambda asked: Stall(4000, goes_on) if IS["read"](asked) else None)
        async with bad_day(service, stalling), anyio.create_task_group() as tasks:
            tasks.start_soon(read_it)
            while not service.store.spoilt:
                await anyio.sleep(0.01)
            assert (await service.upload(body)).status_code == HTTPStatus.ACCEPTED
            assert (await service.http.get("/readyz")).status_code == HTTPStatus.OK
            assert b"".join(read) != body
            goes_on.set()
        assert b"".join(read) == body


async def test_an_answer_that_never_comes_is_given_up_in_the_time_that_is_set(
    environment: dict[str, str], small_picture: Path
) -> None:
    async with serving(environment) as service:
        never = anyio.Event()
        async with bad_day(service, lambda asked: Stall(0, never) if IS["read"](asked) else None):
            answer = await service.upload(small_picture.read_bytes())
            assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
            never.set()
        assert await objects_of(service.gallery.settings) == []


async def test_a_bucket_that_is_gone_is_no_client_s_mistake(environment: dict[str, str]) -> None:
    async with serving(environment) as service:
        declared = {"filename": "tram.jpg", "content_type": "image/jpeg", "size": 100}
        upload = (await service.http.post("/api/v1/uploads", json=declared)).json()["data"]
        asked = ("GET", "/readyz"), ("POST", f"/api/v1/uploads/{upload['id']}/complete")
        there = [(await service.http.request(*each)).status_code for each in asked]
        async with bad_day(service, lambda _: Refuse(404, "NoSuchBucket")):
            gone = [(await service.http.request(*each)).status_code for each in asked]
        assert (there, gone) == ([200, 409], [503, 503])


async def test_credentials_that_expire_in_mid_upload_are_a_clear_error_and_lose_nothing(
    environment: dict[str, str], small_picture: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(environment) as service:
        expired = Refuse(400, "ExpiredToken")
        async with bad_day(service, lambda asked: expired if IS["copied"](asked) else None):
            answer = await service.upload(small_picture.read_bytes())
            assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
            assert "the credentials have expired" in caplog.text
            assert "the credentials" not in answer.text
        assert await objects_of(service.gallery.settings) == []
        assert (await service.upload(small_picture.read_bytes())).status_code == HTTPStatus.ACCEPTED
