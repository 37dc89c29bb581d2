"""Signed requests, as far as they need no server."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.support.clock import ManualClock

from imagegallery.aws.keys import Keys
from imagegallery.errors import ConfigurationError
from imagegallery.images.presentation.urls import stepped_expiry
from imagegallery.storage.options import S3Options
from imagegallery.storage.s3.address import BucketAddress
from imagegallery.storage.s3.presign import Presigner, lifetime_for

HOUR = timedelta(hours=1)
AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def signing(clock: ManualClock, token: str | None = None) -> Presigner:
    keys = Keys("AKIDEXAMPLE", "secret", token)
    return Presigner("https://photos.s3.amazonaws.com", "photos", "us-east-1", lambda: keys, clock, {})


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def test_a_url_stays_the_same_for_as_long_as_its_end_does(clock: ManualClock) -> None:
    """With the stepped ends of `Delivery`, a browser gets one URL for half an hour, and it is good when it gets it."""
    signer, urls = signing(clock), []
    for _ in range(60):
        expires_at = stepped_expiry(clock(), HOUR)
        url = signer.download("a", content_type="image/webp", expires_at=expires_at, download_as=None)
        signed_at = datetime.strptime(query(url)["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        assert signed_at <= clock() < signed_at + timedelta(seconds=int(query(url)["X-Amz-Expires"])) == expires_at
        urls.append(url)
        clock.advance(timedelta(minutes=1))
    assert len(set(urls)) in (2, 3), "the clock crosses one or two steps in an hour"


@pytest.mark.parametrize(
    ("remaining", "lifetime"),
    [
        (timedelta(seconds=-5), HOUR),
        (HOUR, HOUR),
        (HOUR + timedelta(seconds=1), timedelta(days=1)),
        (timedelta(days=7), timedelta(days=7)),
    ],
)
def test_lifetimes_are_few(remaining: timedelta, lifetime: timedelta) -> None:
    assert lifetime_for(remaining) == lifetime


def test_s3_signs_for_a_week_at_most() -> None:
    with pytest.raises(ConfigurationError):
        lifetime_for(timedelta(days=7, seconds=1))


def test_keys_of_a_role_sign_with_their_token(clock: ManualClock) -> None:
    signer = signing(clock, "session-token")
    url = signer.download("a", content_type="image/webp", expires_at=clock() + HOUR, download_as=None)
    assert query(url)["X-Amz-Security-Token"] == "session-token"
    form = signer.form("a", content_type="image/webp", sizes=(1, 1), sha256=None, expires_at=clock() + HOUR)
    assert form.fields["x-amz-security-token"] == "session-token"


def test_keys_do_not_show() -> None:
    assert "secret" not in repr(Keys("AKIDEXAMPLE", "secret", "secret-token"))


@pytest.mark.parametrize(
    ("options", "endpoint", "url"),
    [
        (S3Options("photos"), "https://s3.eu-west-1.amazonaws.com", "https://photos.s3.eu-west-1.amazonaws.com"),
        (S3Options("my.photos"), "https://s3.amazonaws.com", "https://s3.amazonaws.com/my.photos"),
        (S3Options("photos", path_style=True), "https://s3.example/", "https://s3.example/photos"),
        (S3Options("photos", endpoint_url="http://127.0.0.1:1"), "http://127.0.0.1:1", "http://127.0.0.1:1/photos"),
        (S3Options("photos", endpoint_url="http://[::1]:1"), "http://[::1]:1", "http://[::1]:1/photos"),
        (S3Options("photos", endpoint_url="http://localhost:1"), "http://localhost:1", "http://localhost:1/photos"),
    ],
)
def test_where_a_bucket_is(options: S3Options, endpoint: str, url: str) -> None:
    assert BucketAddress.of(options).url(endpoint) == url


@pytest.mark.parametrize(
    "options",
    [
        S3Options("ab"),
        S3Options("Photos"),
        S3Options("photos/others"),
        S3Options("photos", prefix="/a/"),
        S3Options("photos", prefix="a//"),
        S3Options("photos", prefix="../"),
    ],
)
def test_what_cannot_be_a_bucket_or_a_prefix_is_said_at_once(options: S3Options) -> None:
    with pytest.raises(ConfigurationError, match=r"storage\.s3"):
        BucketAddress.of(options)
