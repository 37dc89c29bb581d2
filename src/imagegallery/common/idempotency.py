"""A request that is repeated because its response was lost, recognised by the key from its client. Pure.

This is ``Idempotency-Key`` (draft-ietf-httpapi-idempotency-key-header, section 2): the same key and request return the
same thing; the same key and another request are an error. The thing's id follows from its owner and the key, so its own
row keeps it unique, and no second store of responses could disagree with it. A key belongs to one owner and one kind of
request, and is forgotten with what it made.
"""

import hashlib
import json
from uuid import UUID, uuid5

from attrs import frozen

from imagegallery.errors import Fault, IdempotencyKeyReused, InvalidInput

MAX_IDEMPOTENCY_KEY = 255


def id_for(kind: UUID, owner_id: str, key: str) -> UUID:
    """The id of what this owner's request of this kind (a namespace of its own) makes with this key: a UUIDv5 (RFC 9562
    section 5.5). Raises `InvalidInput` unless the key has 1 to 255 characters.
    """
    if not 1 <= len(key) <= MAX_IDEMPOTENCY_KEY:
        fault = Fault(("header", "Idempotency-Key"), f"must have 1 to {MAX_IDEMPOTENCY_KEY} characters")
        raise InvalidInput("The idempotency key has the wrong length.", [fault])
    return uuid5(kind, json.dumps([owner_id, key]))


@frozen
class KeyedRequest:
    """A request with a key: the ``id`` of what it makes, and a ``digest`` (SHA-256) of its content."""

    id: UUID
    digest: bytes

    @classmethod
    def of(cls, kind: UUID, owner_id: str, key: str | None, *asked: object) -> "KeyedRequest | None":
        """Make it, or return ``None`` without a key. ``asked`` is JSON. Raises `InvalidInput` for an invalid key."""
        if key is None:
            return None
        return cls(id_for(kind, owner_id, key), hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest())

    def check_repeats(self, digest: bytes | None) -> None:
        """Raise `IdempotencyKeyReused` unless the existing thing came from a request with this ``digest``."""
        if digest != self.digest:
            raise IdempotencyKeyReused("This idempotency key was used for another request.", made=str(self.id))
