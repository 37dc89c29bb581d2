"""Deliveries to a real server on this machine."""

import json
import socket
from datetime import timedelta

import anyio
import pytest
from anyio.abc import SocketAttribute
from tests.support.clock import ManualClock
from tests.support.events import EventLog
from tests.support.servers.webhooks import Receiver

from imagegallery.database.pool import Database
from imagegallery.errors import LeaseLost
from imagegallery.events.relay import Relay
from imagegallery.gallery import EVENT_TYPES
from imagegallery.ids import new_id
from imagegallery.images.events import GalleryChanged
from imagegallery.principal import Principal
from imagegallery.queue.job import ClaimedJob
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.webhooks.delivery import DELIVER, DeliverWebhook, WebhookConsumer
from imagegallery.webhooks.service import WebhookService
from imagegallery.webhooks.signature import verify
from imagegallery.webhooks.transport import AddressRefused, DeliveryFailed, Sender
from imagegallery.webhooks.webhook import WebhookOptions, target_of

ANA = Principal.user("ana")
LEASE = timedelta(seconds=5)
OPTIONS = WebhookOptions(allow_private=True, disable_failures=3, disable_after=timedelta(hours=1), max_attempts=12)
SENDER = Sender(timedelta(seconds=10), allow_private=True)


class Post:
    """All that has to do with webhooks, over one database."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.queue = PostgresQueue(database, clock)
        self.webhooks = WebhookService(database, SENDER, EVENT_TYPES, OPTIONS, clock)
        self._relay = Relay(database, self.queue, EVENT_TYPES, [WebhookConsumer()], clock)
        self.handler = DeliverWebhook(database, self.queue, self.queue, SENDER, EVENT_TYPES, OPTIONS, clock)

    async def claim(self) -> ClaimedJob:
        """The one delivery that is due."""
        await self._relay.catch_up()
        (job,) = await self.queue.claim([DELIVER], limit=10, lease=LEASE)
        return job

    async def deliver(self) -> int:
        """Do every delivery that is due; answers how many."""
        await self._relay.catch_up()
        done = 0
        while jobs := await self.queue.claim([DELIVER], limit=10, lease=LEASE):
            for job in jobs:
                await self.handler.run(job)
                await self.queue.complete(job)
                done += 1
        return done


@pytest.fixture
def post(database: Database, clock: ManualClock) -> Post:
    return Post(database, clock)


async def test_an_event_is_delivered_and_its_signature_is_right(
    post: Post, log: EventLog, receiver: Receiver, clock: ManualClock
) -> None:
    created = await post.webhooks.create(ANA, url=receiver.url)
    (image_id,) = await log.ready()
    assert await post.deliver() == 1
    (received,) = receiver.received
    assert received.path == "/hook?from=gallery"
    assert received.headers["content-type"] == "application/json"
    assert received.headers["webhook-id"] == "1"
    verify(created.secret, received.headers, received.body, clock())
    assert json.loads(received.body) == {
        "id": "1",
        "type": "image.ready",
        "timestamp": clock().isoformat(),
        "data": {"owner_id": "ana", "image_id": str(image_id), "gallery_ids": [], "meta": {}},
    }


async def test_only_what_was_asked_for_and_is_ones_own(post: Post, log: EventLog, receiver: Receiver) -> None:
    await post.webhooks.create(ANA, url=receiver.url, event_types=["gallery.changed"])
    await log.ready()
    await log.record(GalleryChanged("ben", new_id(), "created"))
    await log.record(GalleryChanged("ana", new_id(), "deleted"))
    assert await post.deliver() == 1
    assert json.loads(receiver.received[0].body)["data"]["change"] == "deleted"


async def test_what_happened_before_is_not_delivered(
    post: Post, log: EventLog, receiver: Receiver, clock: ManualClock
) -> None:
    await log.ready()
    clock.advance(timedelta(seconds=1))
    await post.webhooks.create(ANA, url=receiver.url)
    assert await post.deliver() == 0


@pytest.mark.parametrize(("before", "now"), [(500, 204), (204, 500)])
async def test_a_delivery_whose_claim_was_lost_counts_for_nothing(
    post: Post, log: EventLog, receiver: Receiver, clock: ManualClock, before: int, now: int
) -> None:
    webhook_id = (await post.webhooks.create(ANA, url=receiver.url)).webhook.id
    receiver.statuses = [before, now]
    await log.ready()
    await post.deliver()
    failures = (await post.webhooks.get(ANA, webhook_id)).failures
    await log.ready()
    lost = await post.claim()
    clock.advance(LEASE)
    await post.claim()
    with pytest.raises(LeaseLost):
        await post.handler.run(lost)
    assert len(receiver.received) == 2, "it was sent"
    assert (await post.webhooks.get(ANA, webhook_id)).failures == failures


@pytest.mark.parametrize("status", [500, 404, 302])
async def test_what_is_not_taken_comes_again_later(
    post: Post, log: EventLog, receiver: Receiver, clock: ManualClock, status: int
) -> None:
    receiver.statuses = [status, status]
    webhook_id = (await post.webhooks.create(ANA, url=receiver.url)).webhook.id
    await log.ready()
    assert await post.deliver() == 1
    assert (await post.webhooks.get(ANA, webhook_id)).failures == 1
    assert await post.deliver() == 0, "not yet"
    clock.advance(OPTIONS.backoff_base)
    assert await post.deliver() == 1
    clock.advance(OPTIONS.backoff_base)
    assert await post.deliver() == 0, "the interval has grown"
    clock.advance(OPTIONS.backoff_base)
    assert await post.deliver() == 1
    assert (await post.webhooks.get(ANA, webhook_id)).failures == 0
    bodies, ids = zip(*((each.body, each.headers["webhook-id"]) for each in receiver.received), strict=True)
    assert len(bodies) == 3
    assert len(set(bodies)) == len(set(ids)) == 1


async def test_after_too_many_failures_it_is_switched_off_until_its_owner_switches_it_on(
    post: Post, log: EventLog, receiver: Receiver, clock: ManualClock
) -> None:
    receiver.statuses = [503] * 3
    webhook_id = (await post.webhooks.create(ANA, url=receiver.url)).webhook.id
    await log.ready(2)
    await post.deliver()
    assert (await post.webhooks.get(ANA, webhook_id)).active
    clock.advance(timedelta(hours=2))
    await post.deliver()
    webhook = await post.webhooks.get(ANA, webhook_id)
    assert not webhook.active
    assert webhook.disabled_reason is not None
    assert "3 deliveries" in webhook.disabled_reason
    assert "answered 503" in webhook.disabled_reason

    await log.ready()
    clock.advance(timedelta(days=1))
    assert await post.deliver() == 0
    assert len(receiver.received) == 3

    assert (await post.webhooks.enable(ANA, webhook_id)).active
    await log.ready()
    await post.deliver()
    assert len(receiver.received) == 4


async def test_deleted_webhooks_get_nothing_more(post: Post, log: EventLog, receiver: Receiver) -> None:
    webhook_id = (await post.webhooks.create(ANA, url=receiver.url)).webhook.id
    await log.ready()
    await post._relay.catch_up()
    await post.webhooks.delete(ANA, webhook_id)
    assert await post.deliver() == 1
    assert receiver.received == []


async def test_a_private_address_is_refused_at_delivery_too(receiver: Receiver) -> None:
    """The name's address may have changed since the webhook was made."""
    with pytest.raises(AddressRefused):
        await Sender(timedelta(seconds=10)).post(target_of(receiver.url), {}, b"")
    assert receiver.received == []


@pytest.mark.parametrize(("address", "allow_private"), [("10.0.0.1", False), ("169.254.169.254", True)])
async def test_one_refused_address_among_others_is_too_many(
    address: str, allow_private: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in ("93.184.216.34", address)]

    async def connect(*_: object, **__: object) -> None:
        raise AssertionError("nothing is to be sent")

    monkeypatch.setattr(anyio, "getaddrinfo", resolve)
    monkeypatch.setattr(anyio, "connect_tcp", connect)
    with pytest.raises(AddressRefused):
        await Sender(timedelta(seconds=10), allow_private).post(target_of("https://rebinding.example/"), {}, b"")


async def test_the_connection_goes_to_the_address_that_was_checked(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is resolved once, and the host header still carries it."""
    asked: list[str] = []

    async def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(anyio, "getaddrinfo", resolve)
    url = receiver.url.replace("127.0.0.1", "hooks.invalid")
    assert await SENDER.post(target_of(url), {}, b"body") == 204
    assert asked == ["hooks.invalid"]
    assert receiver.received[0].headers["host"].startswith("hooks.invalid:")


@pytest.mark.parametrize(
    "answer",
    [b"", b"no HTTP at all\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 40_000],
    ids=["nothing", "garbage", "endless headers"],
)
async def test_bad_answers_are_failures(answer: bytes) -> None:
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:

        async def serve(client: anyio.abc.SocketStream) -> None:
            async with client:
                await client.receive()
                await client.send(answer)

        tasks.start_soon(listener.serve, serve)
        port = listener.extra(SocketAttribute.local_port)
        with pytest.raises(DeliveryFailed):
            await SENDER.post(target_of(f"http://127.0.0.1:{port}/"), {}, b"{}")
        tasks.cancel_scope.cancel()


async def test_nobody_answers_in_time() -> None:
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(SocketAttribute.local_port)
        hasty = Sender(timedelta(milliseconds=50), allow_private=True)
        with pytest.raises(DeliveryFailed, match="within"):
            await hasty.post(target_of(f"http://127.0.0.1:{port}/"), {}, b"{}")
