"""Uploads that a bucket's events complete, because their clients do not."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from urllib.parse import quote_plus

import attrs
import pytest
from tests.support.clock import ManualClock
from tests.support.servers.sqs import AWS, ClockedSqsServer
from tests.support.uploads import Uploading

from imagegallery.aws.clients import open_client
from imagegallery.backends import open_jobs
from imagegallery.database.pool import Database
from imagegallery.errors import ConfigurationError
from imagegallery.queue.job import QueueOptions
from imagegallery.queue.sqs.channel import OutgoingMessage, SqsChannel
from imagegallery.queue.sqs.mailbox import HANDLING_TIME, SqsMailbox
from imagegallery.queue.sqs.setup import EVENT_RECEIVES, SqsSetup
from imagegallery.settings import Settings
from imagegallery.storage.streams import bytes_chunks
from imagegallery.uploads.bucket_events.arrivals import Arrivals
from imagegallery.uploads.bucket_events.messages import CreatedObject, created_objects
from imagegallery.uploads.session.session import UploadState

BUCKET = "pictures"
PREFIX = "our things/"


def s3_event(key: str, *, bucket: str = BUCKET, name: str = "ObjectCreated:Post") -> str:
    about = {"bucket": {"name": bucket}, "object": {"key": quote_plus(key), "size": 7}}
    return json.dumps({"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": name, "s3": about}]})


def event_bridge_event(key: str, *, kind: str = "Object Created") -> str:
    detail = {"version": "0", "bucket": {"name": BUCKET}, "object": {"key": key}, "reason": "PutObject"}
    return json.dumps({"version": "0", "detail-type": kind, "source": "aws.s3", "detail": detail})


def s3_event_as_written(key: str) -> str:
    """The key as it stands in the message, however wrongly it is encoded."""
    about = {"bucket": {"name": BUCKET}, "object": {"key": key}}
    return json.dumps({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": about}]})


def through_sns(body: str) -> str:
    return json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:1:uploads", "Message": body})


TEST_EVENT = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET})
FORMS = [s3_event, event_bridge_event, lambda key: through_sns(s3_event(key))]


class TestReading:
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("key", ["incoming/1", "a b+c/ü%.jpg"])
    def test_the_object_is_named_as_it_is(self, form: Callable[[str], str], key: str) -> None:
        assert created_objects(form(key)) == [CreatedObject(BUCKET, key)]

    def test_several_records_are_several_objects(self) -> None:
        records = [json.loads(s3_event(key))["Records"][0] for key in ("a", "b")]
        read = created_objects(json.dumps({"Records": records}))
        assert read == [CreatedObject(BUCKET, "a"), CreatedObject(BUCKET, "b")]

    @pytest.mark.parametrize(
        "body", [TEST_EVENT, s3_event("a", name="ObjectRemoved:Delete"), event_bridge_event("a", kind="Object Deleted")]
    )
    def test_what_creates_nothing_is_about_no_object(self, body: str) -> None:
        assert list(created_objects(body) or ()) == []
        assert created_objects(body) is not None

    @pytest.mark.parametrize(
        "body",
        [
            "hello",
            "[]",
            "{}",
            '{"Records": 7}',
            '{"Records": [7]}',
            '{"Records": [{"eventSource": "aws:sns"}]}',
            '{"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {"bucket": []}}]}',
            '{"source": "aws.s3", "detail-type": "Object Created", "detail": "all of it"}',
            '{"Type": "Notification", "Message": "hello"}',
            "[" * 100_000,
        ],
    )
    def test_what_is_not_about_a_bucket_is_known(self, body: str) -> None:
        assert created_objects(body) is None


@attrs.frozen
class Letters:
    """A queue of a bucket's events, and who reads it for an upload service."""

    server: ClockedSqsServer
    channel: SqsChannel
    dead: SqsChannel
    arrivals: Arrivals

    async def send(self, *bodies: str) -> None:
        await self.channel.send([OutgoingMessage(body, timedelta(0)) for body in bodies])

    async def left(self) -> int:
        """How many come again."""
        self.server.advance(HANDLING_TIME)
        return len(await self.channel.receive(limit=10, hide=timedelta(0)))


@pytest.fixture(scope="module")
def sqs_server() -> Iterator[ClockedSqsServer]:
    with ClockedSqsServer.running() as server:
        yield server


@pytest.fixture
async def letters(sqs_server: ClockedSqsServer, uploading: Uploading) -> AsyncIterator[Letters]:
    named = sqs_server.options()
    options = QueueOptions(sqs=attrs.evolve(named, queue_url=None, events_url=named.queue_url))
    async with open_client("sqs", AWS, endpoint_url=sqs_server.url) as client:
        await SqsSetup(client, options).run()
        channel, dead = (SqsChannel(client, f"{options.sqs.events_url}{suffix}") for suffix in ("", "-dead"))
        mailbox = SqsMailbox(channel, poll=timedelta(0))
        yield Letters(
            sqs_server, channel, dead, Arrivals(mailbox, uploading.service.server, bucket=BUCKET, prefix=PREFIX)
        )


@pytest.mark.parametrize("form", FORMS)
async def test_an_upload_whose_client_is_gone_becomes_an_image(
    uploading: Uploading, letters: Letters, jpeg: bytes, form: Callable[[str], str]
) -> None:
    session = await uploading.uploaded(jpeg)
    await letters.send(form(PREFIX + session.incoming_key))
    await letters.arrivals.handle_next()
    done = await uploading.service.get(uploading.me, session.id)
    assert done.state is UploadState.COMPLETED
    assert (await uploading.traces()).images == 1
    assert await letters.left() == 0


async def test_events_that_come_again_change_nothing(uploading: Uploading, letters: Letters, jpeg: bytes) -> None:
    session = await uploading.uploaded(jpeg)
    await letters.send(*[s3_event(PREFIX + session.incoming_key)] * 3)
    await letters.arrivals.handle_next()
    image = await uploading.service.complete(uploading.me, session.id)
    before = await uploading.traces()
    await letters.send(s3_event(PREFIX + session.incoming_key))
    await letters.arrivals.handle_next()
    assert await uploading.traces() == before
    assert (before.images, image.id) == (1, session.future_image_id)
    assert await letters.left() == 0


async def test_an_upload_that_is_refused_is_over(uploading: Uploading, letters: Letters, png_bomb: bytes) -> None:
    session = await uploading.uploaded(png_bomb, "image/png")
    await letters.send(s3_event(PREFIX + session.incoming_key))
    await letters.arrivals.handle_next()
    assert (await uploading.service.get(uploading.me, session.id)).state is UploadState.REJECTED
    assert await letters.left() == 0


async def test_an_upload_that_was_given_up_stays_so(uploading: Uploading, letters: Letters, jpeg: bytes) -> None:
    session = await uploading.uploaded(jpeg)
    await uploading.service.cancel(uploading.me, session.id)
    await letters.send(s3_event(PREFIX + session.incoming_key))
    await letters.arrivals.handle_next()
    assert (await uploading.traces()).images == 0
    assert await letters.left() == 0


async def test_an_event_before_its_object_comes_again(uploading: Uploading, letters: Letters, jpeg: bytes) -> None:
    session = await uploading.service.create(
        uploading.me, filename="tram.jpg", content_type="image/jpeg", size=len(jpeg)
    )
    await letters.send(s3_event(PREFIX + session.incoming_key))
    await letters.arrivals.handle_next()
    assert (await uploading.service.get(uploading.me, session.id)).state is UploadState.PENDING
    await uploading.send(session.request, jpeg)
    letters.server.advance(HANDLING_TIME)
    await letters.arrivals.handle_next()
    assert (await uploading.service.get(uploading.me, session.id)).state is UploadState.COMPLETED


async def test_what_comes_through_this_service_is_left_to_it(
    uploading: Uploading, letters: Letters, jpeg: bytes
) -> None:
    """The service has stored the bytes and not said so yet: completing now would refuse its client."""
    through = uploading.without_files()
    session = await through.service.create(through.me, filename="tram.jpg", content_type="image/jpeg", size=len(jpeg))
    assert session.request is None
    await uploading.library.store.put(session.incoming_key, bytes_chunks(jpeg), content_type="image/jpeg")
    await letters.send(s3_event(PREFIX + session.incoming_key))
    await letters.arrivals.handle_next()
    assert (await through.service.get(through.me, session.id)).state is UploadState.PENDING
    assert await letters.left() == 0


@pytest.mark.parametrize(
    "body",
    [
        TEST_EVENT,
        s3_event(PREFIX + "incoming/unknown"),
        s3_event(PREFIX + "library/images/1/original.jpg"),
        s3_event("elsewhere"),
        s3_event(PREFIX + "incoming/unknown", bucket="another"),
        s3_event(PREFIX + "incoming/a\0b"),
        s3_event(PREFIX + "incoming/" + "a" * 1100),
        event_bridge_event(PREFIX + "incoming/a\0b"),
        event_bridge_event(PREFIX + "incoming/\ud800"),
        s3_event_as_written(quote_plus(PREFIX) + "incoming/\ud800%41"),
        s3_event_as_written(quote_plus(PREFIX) + "incoming/%ED%A0%80%FF%zz%"),
    ],
)
async def test_what_is_no_upload_is_put_away(letters: Letters, body: str) -> None:
    await letters.send(body)
    await letters.arrivals.handle_next()
    assert await letters.left() == 0


async def test_the_same_key_in_another_bucket_is_another_object(
    uploading: Uploading, letters: Letters, jpeg: bytes
) -> None:
    session = await uploading.uploaded(jpeg)
    await letters.send(s3_event(PREFIX + session.incoming_key, bucket="another"))
    await letters.arrivals.handle_next()
    assert (await uploading.traces()).images == 0


async def test_a_letter_that_is_not_about_a_bucket_becomes_a_dead_letter(
    uploading: Uploading, letters: Letters, jpeg: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    session = await uploading.uploaded(jpeg)
    await letters.send("hello", s3_event(PREFIX + session.incoming_key))
    for _ in range(EVENT_RECEIVES + 1):
        await letters.arrivals.handle_next()
        letters.server.advance(HANDLING_TIME)
    assert [letter.body for letter in await letters.dead.receive(limit=10, hide=timedelta(0))] == ["hello"]
    assert (await uploading.traces()).images == 1
    assert "redrive policy" in caplog.text


async def test_what_a_bucket_really_sends_is_understood(
    uploading: Uploading, letters: Letters, sqs_server: ClockedSqsServer, jpeg: bytes
) -> None:
    session = await uploading.uploaded(jpeg)
    async with open_client("s3", AWS, endpoint_url=sqs_server.url) as s3:
        with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
            await s3.create_bucket(Bucket=BUCKET)
        arn = f"arn:aws:sqs:us-east-1:123456789012:{letters.channel.name}"
        wanted = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
        await s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=wanted)
        await s3.put_object(Bucket=BUCKET, Key=PREFIX + session.incoming_key, Body=jpeg)
    await letters.arrivals.handle_next()
    await letters.arrivals.handle_next()
    assert (await uploading.service.get(uploading.me, session.id)).state is UploadState.COMPLETED
    assert await letters.left() == 0


async def test_a_queue_of_events_is_nothing_without_a_bucket(database: Database, clock: ManualClock) -> None:
    plain = Settings()
    named = attrs.evolve(plain.queue.sqs, events_url="https://sqs.eu-central-1.amazonaws.com/1/uploads")
    settings = attrs.evolve(plain, queue=attrs.evolve(plain.queue, sqs=named))
    with pytest.raises(ConfigurationError, match=r"storage\.s3\.bucket"):
        async with open_jobs(settings, database, clock):
            pass
