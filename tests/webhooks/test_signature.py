"""Receivers can tell our deliveries from others'."""

import binascii
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import START

from imagegallery.errors import SignatureExpired, SignatureInvalid
from imagegallery.webhooks.signature import TOLERANCE, read_secret, signed_headers, verify, write_secret

SECRET = bytes(range(32))
TEXT = write_secret(SECRET)


def test_the_signature_is_the_one_of_the_specification() -> None:
    """The example of the Standard Webhooks specification's reference libraries."""
    secret = read_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    moment = START.fromtimestamp(1614265330, START.tzinfo)
    assert signed_headers(secret, headers["webhook-id"], b'{"test": 2432232314}', moment) == headers


@given(st.binary(), st.text("0123456789", min_size=1))
def test_what_is_signed_is_verified(body: bytes, message_id: str) -> None:
    verify(TEXT, signed_headers(SECRET, message_id, body, START), body, START)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_every_header_counts(name: str) -> None:
    headers = signed_headers(SECRET, "42", b"body", START)
    for changed in ({**headers, name: "1"}, {key: value for key, value in headers.items() if key != name}):
        with pytest.raises(SignatureInvalid):
            verify(TEXT, changed, b"body", START)


def test_another_body_or_secret() -> None:
    headers = signed_headers(SECRET, "42", b"body", START)
    with pytest.raises(SignatureInvalid):
        verify(TEXT, headers, b"Body", START)
    with pytest.raises(SignatureInvalid):
        verify(write_secret(bytes(32)), headers, b"body", START)


def test_one_of_several_signatures_is_enough() -> None:
    """While a secret is being changed there are two (the specification's zero downtime secret rotation)."""
    headers = signed_headers(SECRET, "42", b"body", START)
    headers["webhook-signature"] = f"v1,AAAA {headers['webhook-signature']}"
    verify(TEXT, headers, b"body", START)


@pytest.mark.parametrize("away", [TOLERANCE, -TOLERANCE])
def test_an_old_delivery_cannot_be_played_again_nor_one_from_ahead(away: timedelta) -> None:
    signed_at = START.replace(microsecond=0)
    headers = signed_headers(SECRET, "42", b"body", signed_at)
    verify(TEXT, headers, b"body", signed_at + away)
    with pytest.raises(SignatureExpired):
        verify(TEXT, headers, b"body", signed_at + away * 1.01)


@pytest.mark.parametrize("text", ["whsec_MfKQ!9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ 9r8", "whsec_A"])
def test_what_is_no_secret_is_refused(text: str) -> None:
    with pytest.raises(binascii.Error):
        read_secret(text)
