import string
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import ManualClock

from imagegallery.errors import ConfigurationError, SignatureExpired, SignatureInvalid
from imagegallery.storage import keys
from imagegallery.storage.signatures import DownloadGrant, PartGrant, UploadGrant, UrlSigner

SECRET = b"a secret of the tests"
NOON = datetime(2030, 6, 1, 12, tzinfo=UTC)
UPLOAD = UploadGrant("incoming/a", "image/jpeg", 1, 50_000_000, NOON)
DOWNLOAD = DownloadGrant("galleries/a/b.webp", "image/webp", NOON, None)


def signer(now: datetime = NOON - timedelta(hours=1), secret: bytes = SECRET) -> UrlSigner:
    return UrlSigner(secret, lambda: now)


@given(
    key=st.text(st.characters(codec="utf-8"), min_size=1),
    expires_in=st.integers(1, 10**9),
    download_as=st.none() | st.text(st.characters(codec="utf-8")),
)
def test_a_download_comes_back_as_it_was_signed(key: str, expires_in: int, download_as: str | None) -> None:
    grant = DownloadGrant(key, "image/png", NOON + timedelta(seconds=expires_in), download_as)
    token = signer(NOON).sign(grant)
    assert signer(NOON).read(token, DownloadGrant) == grant


NEW = b"a secret of next year"


def test_what_an_older_secret_signed_is_believed_until_it_goes() -> None:
    now = NOON - timedelta(hours=1)
    before, rotated = signer(now), UrlSigner(NEW, lambda: now, [SECRET])
    assert rotated.read(before.sign(DOWNLOAD), DownloadGrant) == DOWNLOAD
    assert rotated.sign(DOWNLOAD) == signer(now, NEW).sign(DOWNLOAD)
    assert rotated.read(rotated.sign(DOWNLOAD), DownloadGrant) == DOWNLOAD
    with pytest.raises(SignatureInvalid):
        signer(now, NEW).read(before.sign(DOWNLOAD), DownloadGrant)


def test_a_short_older_secret_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        UrlSigner(NEW, lambda: NOON, [b""])


def test_an_upload_comes_back_as_it_was_signed() -> None:
    assert signer().read(signer().sign(UPLOAD), UploadGrant) == UPLOAD


def test_a_part_comes_back_as_it_was_signed_and_as_nothing_else() -> None:
    part = PartGrant("incoming/a", "0f" * 16, 3, 8_388_608, NOON)
    token = signer().sign(part)
    assert signer().read(token, PartGrant) == part
    with pytest.raises(SignatureInvalid):
        signer().read(token, UploadGrant)
    with pytest.raises(SignatureInvalid):
        signer().read(token, DownloadGrant)
    with pytest.raises(SignatureInvalid):
        signer().read(signer().sign(UPLOAD), PartGrant)
    with pytest.raises(SignatureExpired):
        signer(NOON).read(token, PartGrant)


def test_what_is_no_unicode_can_still_be_signed() -> None:
    grant = DownloadGrant("a", "image/png", NOON, "\ud800.png")
    assert signer().read(signer().sign(grant), DownloadGrant).download_as == "?.png"


@given(position=st.integers(0, 10_000), character=st.characters())
def test_no_character_can_be_changed(position: int, character: str) -> None:
    token = signer().sign(DOWNLOAD)
    position %= len(token)
    if token[position] != character:
        with pytest.raises(SignatureInvalid):
            signer().read(token[:position] + character + token[position + 1 :], DownloadGrant)


def test_a_signature_is_written_in_one_way_only() -> None:
    """Its last character stands for two bits: by the other four, 16 characters would be the same signature."""
    signature, _, text = signer().sign(DOWNLOAD).partition(".")
    accepted = []
    for last in string.ascii_letters + string.digits + "-_":
        with suppress(SignatureInvalid):
            signer().read(f"{signature[:-1]}{last}.{text}", DownloadGrant)
            accepted.append(last)
    assert accepted == [signature[-1]]


@given(token=st.text())
def test_what_nobody_signed_is_refused(token: str) -> None:
    with pytest.raises(SignatureInvalid):
        signer().read(token, DownloadGrant)


def test_an_upload_does_not_read_nor_a_download_write() -> None:
    with pytest.raises(SignatureInvalid):
        signer().read(signer().sign(UPLOAD), DownloadGrant)
    with pytest.raises(SignatureInvalid):
        signer().read(signer().sign(DOWNLOAD), UploadGrant)


def test_another_secret_signs_otherwise() -> None:
    with pytest.raises(SignatureInvalid):
        signer().read(signer(secret=SECRET + b"!").sign(DOWNLOAD), DownloadGrant)


def test_a_grant_holds_until_its_time_and_not_longer() -> None:
    clock = ManualClock(NOON - timedelta(microseconds=1))
    token = signer().sign(DOWNLOAD)
    assert UrlSigner(SECRET, clock).read(token, DownloadGrant) == DOWNLOAD
    clock.advance(timedelta(microseconds=1))
    with pytest.raises(SignatureExpired):
        UrlSigner(SECRET, clock).read(token, DownloadGrant)


def test_equal_grants_have_equal_tokens_at_any_time() -> None:
    assert signer(NOON - timedelta(days=9)).sign(DOWNLOAD) == signer().sign(DOWNLOAD)
    # The bytes of a token are an interface: processes of the next release must read what this one signed.
    assert signer().sign(DOWNLOAD) == "jOl7lY57exKbTiu5RcXhmQ.71a393c0/galleries/a/b.webp"


def test_the_token_of_a_variant_is_hardly_longer_than_its_key() -> None:
    key = keys.variant_key(keys.image_prefix(UUID(int=1)), "thumbnail", "0123456789abcdef", "webp")
    assert len(signer().sign(DownloadGrant(key, "image/webp", NOON, None))) == len(key) + 32


@pytest.mark.parametrize("secret", [b"", b"too short"])
def test_a_short_secret_is_a_configuration_error(secret: bytes) -> None:
    with pytest.raises(ConfigurationError):
        signer(secret=secret)
