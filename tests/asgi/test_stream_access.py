"""An event stream lasts as long as the right to it: until its token expires, or its request is let in no more."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt as pyjwt
import pytest
from anyio.abc import ObjectReceiveStream
from attrs import define, field
from starlette.requests import Request
from starlette.types import Message
from tests.support.clock import ManualClock
from tests.support.streams import listening

from imagegallery import Forbidden, ImageGallery, Principal, Settings
from imagegallery.database.options import DatabaseOptions
from imagegallery_asgi import create_app, jwt
from imagegallery_asgi.api import events

KEY = "a secret of at least thirty-two bytes"
HOUR = timedelta(hours=1)


@pytest.fixture
async def gallery(database_dsn: str, tmp_path: Path) -> AsyncIterator[ImageGallery]:
    settings = Settings(data_dir=tmp_path, database=DatabaseOptions(dsn=database_dsn))
    async with ImageGallery.open(settings) as gallery:
        yield gallery


async def last_words(stream: ObjectReceiveStream[Message]) -> bytes:
    """Nothing else may come."""
    message = await stream.receive()
    assert not message.get("more_body"), message
    return bytes(message["body"])


async def test_a_stream_ends_with_its_token(gallery: ImageGallery, monkeypatch: pytest.MonkeyPatch) -> None:
    """However good the host finds it when it asks again: the clock decides."""
    monkeypatch.setattr(events, "ASK_SECONDS", 0.001)
    clock = ManualClock(datetime.now(UTC))
    token = pyjwt.encode({"sub": "ada", "exp": clock() + HOUR}, KEY, "HS256")
    async with listening(create_app(gallery, authenticate=jwt(KEY), clock=clock), token) as stream:
        clock.advance(HOUR - timedelta(minutes=1))
        await gallery.galleries.create(Principal.user("ada"), name="Lisbon")
        assert b"gallery.changed" in (await stream.receive())["body"]
        clock.advance(timedelta(minutes=1))
        assert b"sign in again" in await last_words(stream)


async def test_it_ends_in_time_when_nobody_asks_before(gallery: ImageGallery) -> None:
    def soon(_: Request) -> Principal:
        return Principal.user("ada", expires_at=datetime.now(UTC) + timedelta(milliseconds=200))

    async with listening(create_app(gallery, authenticate=soon)) as stream:
        assert b"sign in again" in await last_words(stream)


@define
class Doorkeeper:
    """A host that changes its mind."""

    answer: Principal | Exception | None = field(factory=lambda: Principal.user("ada"))

    async def __call__(self, _: Request) -> Principal | None:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    "answer", [None, Principal.user("ben"), Forbidden("You are blocked.")], ids=["nobody", "other", "blocked"]
)
async def test_a_stream_ends_when_the_host_lets_its_request_in_no_more(
    gallery: ImageGallery, monkeypatch: pytest.MonkeyPatch, answer: Principal | Exception | None
) -> None:
    monkeypatch.setattr(events, "ASK_SECONDS", 0.001)
    host = Doorkeeper()
    async with listening(create_app(gallery, authenticate=host)) as stream:
        await gallery.galleries.create(Principal.user("ada"), name="Lisbon")
        assert b"gallery.changed" in (await stream.receive())["body"]
        host.answer = answer
        assert b"sign in again" in await last_words(stream)
