"""An event of each audience reaches exactly those whom it is for: live, later, over HTTP, and by webhooks."""

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import ClassVar

import anyio
import pytest
from attrs import field, frozen
from starlette.requests import Request
from tests.support.events import PATIENCE, EventLog
from tests.support.servers.webhooks import Receiver
from tests.support.shared_engine import SharedEngine
from tests.support.streams import listening

from imagegallery import ImageGallery, Principal, Settings, new_id
from imagegallery.access.audience import EventAudience
from imagegallery.database.options import DatabaseOptions
from imagegallery.database.pool import Database
from imagegallery.events.event import DomainEvent, GalleryEvent, OwnerEvent, UserEvent, by_type
from imagegallery.events.feed import Subscription
from imagegallery.feature import Feature
from imagegallery.images.events import ImageReady
from imagegallery.webhooks.webhook import WebhookOptions
from imagegallery_asgi import create_app


@frozen
class Framed(OwnerEvent):
    type: ClassVar[str] = "club.framed"


@frozen
class Visited(GalleryEvent):
    type: ClassVar[str] = "club.visited"


@frozen
class Invited(UserEvent):
    type: ClassVar[str] = "club.invited"
    host: str = field()


@frozen
class Over(UserEvent):
    """The last one for somebody: whoever has it has had all before."""

    type: ClassVar[str] = "club.over"


CLUB = Feature("club", events=(Framed, Visited, Invited, Over))
HAPPENED: Sequence[DomainEvent] = (
    Framed("ana"),
    Visited("ana", new_id()),
    Invited("ben", host="ana"),
    Over("ana"),
    Over("ben"),
    Over("cleo"),
)
HEARD = {
    "ana": ["club.framed", "club.visited", "club.over"],
    "ben": ["club.invited", "club.over"],
    "cleo": ["club.over"],
}


@pytest.fixture
async def gallery(database_dsn: str, tmp_path: Path, imaging_engine: SharedEngine) -> AsyncIterator[ImageGallery]:
    settings = Settings(
        data_dir=tmp_path,
        database=DatabaseOptions(dsn=database_dsn),
        webhooks=WebhookOptions(allow_private=True),
    )
    async with ImageGallery.open(settings, engine=imaging_engine, features=[CLUB]) as gallery:
        yield gallery


async def record(database: Database, gallery: ImageGallery) -> None:
    await EventLog(database, gallery._resources.clock).record(*HAPPENED)


async def types_until_over(subscription: Subscription) -> list[str]:
    types: list[str] = []
    with anyio.fail_after(PATIENCE.total_seconds()):
        while Over.type not in types:
            types.append((await anext(subscription)).type)
    return types


def test_each_says_for_whom_it_is() -> None:
    assert [each.audience for each in HAPPENED[:3]] == list(EventAudience)
    assert [sorted(each.hearers) for each in HAPPENED[:3]] == [["ana"], ["ana"], ["ben"]]


def test_what_is_for_nobody_is_no_event() -> None:
    class Whispered(DomainEvent):
        type: ClassVar[str] = "club.whispered"

    with pytest.raises(ValueError, match="for nobody"):
        by_type([Whispered])


def test_two_features_do_not_tell_of_the_same(tmp_path: Path) -> None:
    other = Feature("society", events=(frozen(type("Other", (OwnerEvent,), {"type": ImageReady.type})),))
    twice = [CLUB, Feature("club")]
    for features, words in (([other], "image.ready"), (twice, "club"), ([Feature("images")], "images")):
        with pytest.raises(ValueError, match=words):
            ImageGallery.open(Settings.embedded(tmp_path), features=features)


async def test_live_and_later(gallery: ImageGallery, database: Database) -> None:
    for user, heard in HEARD.items():
        async with gallery.events.subscribe(Principal.user(user)) as live:
            await record(database, gallery)
            assert await types_until_over(live) == heard
        async with gallery.events.subscribe(Principal.user(user), after="0") as later:
            assert await types_until_over(later) == heard


async def test_over_http(gallery: ImageGallery, database: Database) -> None:
    app = create_app(gallery, authenticate=_named)
    for user, heard in HEARD.items():
        async with listening(app, user) as stream:
            await record(database, gallery)
            blocks: list[str] = []
            while Over.type not in "".join(blocks):
                blocks.append((await stream.receive())["body"].decode())
        assert [block.partition("event: ")[2].partition("\n")[0] for block in blocks] == heard


async def test_by_webhooks(gallery: ImageGallery, database: Database) -> None:
    with Receiver.running() as receiver:
        for user in HEARD:
            await gallery.webhooks.create(Principal.user(user), url=f"{receiver.url}&to={user}")
        await record(database, gallery)
        expected = sorted((user, kind) for user, kinds in HEARD.items() for kind in kinds)
        async with gallery.worker():
            with anyio.fail_after(PATIENCE.total_seconds()):
                while len(receiver.received) < len(expected):
                    await anyio.sleep(0.01)
        got = [(each.path.rpartition("=")[2], json.loads(each.body)["type"]) for each in receiver.received]
    assert sorted(got) == expected


async def test_a_process_without_the_feature_passes_its_events_over(
    gallery: ImageGallery, database: Database, tmp_path: Path, imaging_engine: SharedEngine
) -> None:
    await record(database, gallery)
    async with ImageGallery.open(gallery.settings, engine=imaging_engine) as older:
        await older.galleries.create(Principal.user("ana"), name="Lisbon")
        async with older.events.subscribe(Principal.user("ana"), after="0") as events:
            with anyio.fail_after(PATIENCE.total_seconds()):
                assert (await anext(events)).type == "gallery.changed"


def _named(request: Request) -> Principal:
    return Principal.user(request.headers["Authorization"].removeprefix("Bearer "))
