"""What goes wrong with a bucket, in our own words: on a real server, and behind one that fails on purpose."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import anyio
import attrs
import pytest
from anyio.abc import SocketAttribute, SocketStream
from tests.support.servers.object_store import SharedObjectStore
from typed_settings import SecretStr

from imagegallery.aws.options import AwsOptions
from imagegallery.dev_stack.object_store import AWS
from imagegallery.dev_stack.ports import free_port
from imagegallery.errors import ConfigurationError, ImageGalleryError, ObjectNotFound, PreconditionFailed, Unavailable
from imagegallery.storage.options import S3Options
from imagegallery.storage.s3.connection import connect
from imagegallery.storage.s3.rules import BucketRules
from imagegallery.storage.s3.setup import SetupOutcome, set_up
from imagegallery.storage.s3.store import S3Store
from imagegallery.storage.streams import bytes_chunks
from imagegallery.testing.storage.base import TYPE, keys, read

HASTY = attrs.evolve(AWS, max_attempts=1, connect_timeout=timedelta(seconds=2), read_timeout=timedelta(seconds=1))


async def opening(options: S3Options, aws: AwsOptions) -> str:
    """The message of the `ConfigurationError` on opening."""
    with pytest.raises(ConfigurationError) as caught:
        async with S3Store.open(options, aws):
            pass
    return caught.value.message


async def test_a_missing_bucket_is_named_on_opening(object_store_server: SharedObjectStore) -> None:
    options = object_store_server.own_bucket()
    message = await opening(options, AWS)
    assert str(options.bucket) in message
    assert "storage setup --create" in message


async def test_wrong_keys_are_told_on_opening(s3_options: S3Options) -> None:
    for wrong in (
        attrs.evolve(AWS, access_key_id="stranger"),
        attrs.evolve(AWS, secret_access_key=SecretStr("not the secret")),
    ):
        message = await opening(s3_options, wrong)
        assert "permission" in message
        assert "secret" not in message


async def test_half_a_pair_of_keys_is_refused(s3_options: S3Options) -> None:
    assert "access_key_id" in await opening(s3_options, attrs.evolve(AWS, secret_access_key=None))


async def test_nobody_there_is_unavailable(s3_options: S3Options) -> None:
    nowhere = attrs.evolve(s3_options, endpoint_url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable):
        async with S3Store.open(nowhere, HASTY):
            pass


async def test_a_bucket_that_is_gone_is_no_object_s_absence(object_store_server: SharedObjectStore) -> None:
    """HEAD says 404 to both, and has no body to say more."""
    options = object_store_server.own_bucket()
    async with connect(options, AWS) as connection:
        client, name = connection.bucket.client, connection.bucket.name
        await client.create_bucket(Bucket=name)
        async with S3Store.open(options, AWS) as store:
            with pytest.raises(ObjectNotFound):
                await store.head("a")
            await client.delete_bucket(Bucket=name)
            asked = {
                "head": store.head("a"),
                "get": read(store, "a"),
                "put": write(store, "a"),
                "put if absent": store.put("a", bytes_chunks(b"x"), content_type=TYPE, if_absent=True),
                "promote": store.promote("incoming/a", "a", etag="x", content_type=TYPE),
                "delete": store.delete("a"),
                "delete many": store.delete_many(["a"]),
                "list": keys(store),
                "begin parts": store.create_multipart("a", content_type=TYPE),
                "parts": store.list_parts("a", "x"),
                "complete parts": store.complete_multipart("a", "x", []),
                "abort parts": store.abort_multipart("a", "x"),
                "grow": store.begin_append("a", content_type=TYPE),
                "grown": store.appended("a", "0" * 24),
            }
            for what, answer in asked.items():
                with pytest.raises(ConfigurationError, match="no such bucket"):
                    print(what, await answer)


async def test_a_url_that_is_none_is_a_configuration_error(s3_options: S3Options) -> None:
    assert "cannot work" in await opening(attrs.evolve(s3_options, endpoint_url="not a url"), AWS)


# --- a server that fails -------------------------------------------------------------------------------------


def refusal(status: str, code: str) -> bytes:
    body = f"<Error><Code>{code}</Code><Message>secret details</Message></Error>".encode()
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (status.encode(), len(body), body)


OPEN = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def answering(*answers: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that gives these answers, one to a connection, whatever it is asked; the last for ever."""
    asked: list[bytes] = []

    async def answer(client: SocketStream) -> None:
        async with client:
            head = b""
            while b"\r\n\r\n" not in head:
                head += await client.receive()
            asked.append(head)
            said = answers[min(len(asked), len(answers)) - 1]
            await client.send(said.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if head.startswith(b"HEAD") else said)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, answer)
        yield f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}", asked
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def over(
    options: S3Options, *answers: bytes, aws: AwsOptions = HASTY
) -> AsyncIterator[tuple[S3Store, list[bytes]]]:
    """A store on such a server."""
    async with answering(*answers) as (url, asked), S3Store.open(attrs.evolve(options, endpoint_url=url), aws) as store:
        yield store, asked


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        ("503 Slow Down", "SlowDown", Unavailable),
        ("500 Internal Server Error", "InternalError", Unavailable),
        ("429 Too Many Requests", "TooManyRequests", Unavailable),
        ("400 Bad Request", "RequestTimeout", Unavailable),
        ("409 Conflict", "ConditionalRequestConflict", Unavailable),
        ("412 Precondition Failed", "PreconditionFailed", PreconditionFailed),
        ("404 Not Found", "NoSuchKey", ObjectNotFound),
        ("404 Not Found", "NoSuchBucket", ConfigurationError),
        ("403 Forbidden", "AccessDenied", ConfigurationError),
        ("400 Bad Request", "ExpiredToken", ConfigurationError),
        ("403 Forbidden", "RequestTimeTooSkewed", ConfigurationError),
        ("501 Not Implemented", "NotImplemented", ConfigurationError),
        ("400 Bad Request", "InvalidStorageClass", ConfigurationError),
    ],
)
async def test_each_refusal_has_its_error(
    s3_options: S3Options, status: str, code: str, error: type[ImageGalleryError]
) -> None:
    async with over(s3_options, OPEN, refusal(status, code)) as (store, _):
        with pytest.raises(error) as caught:
            await read(store, "a")
    assert type(caught.value) is error
    assert "secret details" not in caught.value.message
    if error is ConfigurationError:
        assert str(s3_options.bucket) in caught.value.message


async def test_a_bucket_of_another_region_is_told_on_opening() -> None:
    elsewhere = OPEN.replace(b"\r\n\r\n", b"\r\nx-amz-bucket-region: eu-west-1\r\n\r\n")
    async with answering(elsewhere) as (url, _), connect(S3Options("photos", endpoint_url=url), HASTY) as connection:
        await connection.bucket.check()
        await connection.bucket.check("eu-west-1")
        with pytest.raises(ConfigurationError, match="eu-west-1"):
            await connection.bucket.check("us-east-1")


async def test_a_store_that_is_busy_for_a_moment_is_asked_again(s3_options: S3Options) -> None:
    busy = refusal("503 Slow Down", "SlowDown")
    there = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
    async with over(s3_options, OPEN, busy, busy, there, aws=attrs.evolve(HASTY, max_attempts=3)) as (store, asked):
        await store.delete("a")
    assert len(asked) == 4


async def test_a_store_that_says_nothing_is_unavailable(s3_options: S3Options) -> None:
    async with over(s3_options, OPEN, b"") as (store, _):
        with pytest.raises(Unavailable):
            await store.head("a")


async def test_some_that_cannot_be_deleted_are_told_after_all_were_tried(s3_options: S3Options) -> None:
    body = b"<DeleteResult><Error><Key>a</Key><Code>InternalError</Code></Error></DeleteResult>"
    some = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body)
    async with over(s3_options, OPEN, some) as (store, asked):
        with pytest.raises(Unavailable, match="2 of 1500"):
            await store.delete_many([f"a{number}" for number in range(1_500)])
    assert len(asked) == 3


async def test_many_are_deleted_in_few_requests(s3: S3Store) -> None:
    async with anyio.create_task_group() as tasks:
        for number in range(30):
            tasks.start_soon(write, s3, f"many/{number} &<>")
    await s3.delete_many([*[f"many/{number} &<>" for number in range(30)], "missing"])
    await s3.delete_many([])
    assert await keys(s3) == []


async def write(store: S3Store, key: str) -> None:
    await store.put(key, bytes_chunks(b"x"), content_type=TYPE)


async def test_what_a_store_cannot_be_set_up_for_is_said(s3_options: S3Options) -> None:
    none, unknown = (
        refusal("404 Not Found", "NoSuchLifecycleConfiguration"),
        refusal("501 Not Implemented", "NotImplemented"),
    )
    rules = BucketRules("", 2, ("https://app.example",))
    async with answering(OPEN, none, unknown) as (url, _):
        options = attrs.evolve(s3_options, endpoint_url=url)
        steps = [step async for step in set_up(options, HASTY, rules, create=False, dry_run=False)]
    assert [(step.subject, step.outcome) for step in steps] == [
        ("bucket", SetupOutcome.KEPT),
        ("lifecycle", SetupOutcome.REFUSED),
        ("cors", SetupOutcome.REFUSED),
    ]
    assert "cannot do that" in steps[1].detail
