"""Signing what is delivered, as the Standard Webhooks specification says (version 1, symmetric signatures): pure.

Signed is ``{id}.{timestamp}.{body}``, by HMAC-SHA256. Receivers verify with any of that specification's libraries, or
with `verify`.
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
    """The headers to send with ``body``. ``message_id`` is the same whenever the message is sent again."""
    timestamp = str(int(now.timestamp()))
    signature = f"{_VERSION},{_digest(secret, message_id, timestamp, body)}"
    return {ID_HEADER: message_id, TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: signature}


def verify(
    secret: str, headers: Mapping[str, str], body: bytes, now: datetime, *, tolerance: timedelta = TOLERANCE
) -> None:
    """For receivers: whether a webhook's delivery comes from us, ``body`` as it arrived, at about this time.

    ``secret`` is the webhook's, as text; ``headers`` are looked up by their lower-case names. Raises
    `SignatureInvalid`, and `SignatureExpired` for a message signed longer than ``tolerance`` ago, or ahead.
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
