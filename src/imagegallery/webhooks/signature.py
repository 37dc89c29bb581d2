"""Signatures of deliveries, by the Standard Webhooks specification (version 1, symmetric signatures). Pure.

HMAC-SHA256 signs ``{id}.{timestamp}.{body}``. Receivers verify with any of that specification's libraries, or with
`verify`.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from imagegallery.errors import SignatureExpired, SignatureInvalid

ID_HEADER: Final = "webhook-id"
TIMESTAMP_HEADER: Final = "webhook-timestamp"
SIGNATURE_HEADER: Final = "webhook-signature"
SECRET_BYTES: Final = 32
TOLERANCE: Final = timedelta(minutes=5)
_SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - says that a secret follows
_VERSION: Final = "v1"


def write_secret(secret: bytes) -> str:
    """The secret as its owner sees it: ``whsec_`` and base64."""
    return _SECRET_PREFIX + base64.b64encode(secret).decode()


def read_secret(text: str) -> bytes:
    """The inverse of `write_secret`. Raises `ValueError`."""
    return base64.b64decode(text.removeprefix(_SECRET_PREFIX), validate=True)


def signed_headers(secret: bytes, message_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers to send with ``body``. ``message_id`` stays the same when the message is sent again."""
    timestamp = str(int(now.timestamp()))
    signature = f"{_VERSION},{_digest(secret, message_id, timestamp, body)}"
    return {ID_HEADER: message_id, TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: signature}


def verify(
    secret: str, headers: Mapping[str, str], body: bytes, now: datetime, *, tolerance: timedelta = TOLERANCE
) -> None:
    """Check, as a receiver, that a delivery comes from us.

    Args:
        secret: The webhook's secret, as text.
        headers: The request's headers by lower-case names.
        body: The request's body, unchanged.
        now: The receiver's time.
        tolerance: How far the signature's time may differ from ``now``.

    Raises:
        SignatureInvalid: If the signature is missing or wrong.
        SignatureExpired: If its time differs too much.
    """
    message_id, timestamp = headers.get(ID_HEADER, ""), headers.get(TIMESTAMP_HEADER, "")
    expected = f"{_VERSION},{_digest(read_secret(secret), message_id, timestamp, body)}".encode()
    given = headers.get(SIGNATURE_HEADER, "").split(" ")
    if not any(hmac.compare_digest(expected, each.encode()) for each in given):
        raise SignatureInvalid("The delivery was not signed with this secret.")
    if abs(now.timestamp() - int(timestamp)) > tolerance.total_seconds():
        raise SignatureExpired("The delivery was not signed just now.")


def _digest(secret: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
