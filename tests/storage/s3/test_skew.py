"""A machine whose clock is wrong: the bucket's answers tell the time, by which everything is signed from then on."""

import logging
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from imagegallery.aws.skew import ServiceTime
from imagegallery.dev_stack.object_store import AWS
from imagegallery.storage.options import S3Options
from imagegallery.storage.s3.store import S3Store
from imagegallery.testing.storage.base import TYPE, read, write

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize("wrong", [timedelta(minutes=-20), timedelta(hours=3)])
async def test_a_wrong_clock_stops_nothing_and_is_named(
    s3_options: S3Options, wrong: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    def clock() -> datetime:
        return datetime.now(UTC) + wrong

    with caplog.at_level(logging.WARNING):
        async with S3Store.open(s3_options, AWS, clock) as store:
            await write(store, "a", b"a photograph")
            assert await read(store, "a") == b"a photograph"
            later = clock() + timedelta(minutes=10)
            url = store.sign_download("a", content_type=TYPE, expires_at=later)
            form = await store.presign_upload("b", content_type=TYPE, size=1, sha256=None, expires_at=later)
            async with httpx.AsyncClient() as client:
                assert (await client.get(url)).content == b"a photograph"
                sent = await client.post(form.url, data=dict(form.fields), files={"file": ("b", b"b")})
                assert sent.status_code == 201, sent.text
    minutes = round(wrong / timedelta(minutes=1))
    told = [record.message for record in caplog.records if record.name == "imagegallery.aws.skew"]
    assert told == [f"the clock of this machine is {minutes:+d} minutes off the object store's, whose time is used"]


@pytest.mark.parametrize(
    ("date", "offset"),
    [
        ("Mon, 30 Nov 2026 12:20:00 GMT", timedelta(minutes=20)),
        ("Mon, 30 Nov 2026 11:20:00 GMT", timedelta(minutes=-40)),
        ("Mon, 30 Nov 2026 12:00:30 GMT", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_what_a_refusal_tells_of_the_time(date: str | None, offset: timedelta | None) -> None:
    time = ServiceTime(lambda: NOON)
    assert time.learn(date) is (offset is not None)
    assert time.now() == NOON + (offset or timedelta(0))
    assert not time.learn(date), "a refusal by the right time has another reason"
