"""A request that makes something and comes again since its answer was lost, known by the key its client gave. Pure.

The meaning of ``Idempotency-Key`` (draft-ietf-httpapi-idempotency-key-header, section 2): the same key and the same
request answer the same thing, the same key and another request are an error. The thing's id follows from its owner and
the key, so that its own row keeps it single, and there is no second store of answers that could disagree with it. A key
is one owner's and one kind of request's, and is forgotten with what it made.
"""

import hashlib
import json
from uuid import UUID, uuid5

from attrs import frozen

from imagegallery.errors import Fault, IdempotencyKeyReused, InvalidInput

MAX_IDEMPOTENCY_KEY = 255


def id_for(kind: UUID, owner_id: str, key: str) -> UUID:
    """The id of what this owner's request of this kind (a namespace of its own) makes with this key: a UUIDv5 (RFC 9562
    section 5.5).

    Raises `InvalidInput` unless the key has 1 to 255 characters.
    """
    if not 1 <= len(key) <= MAX_IDEMPOTENCY_KEY:
        fault = Fault(("header", "Idempotency-Key"), f"must have 1 to {MAX_IDEMPOTENCY_KEY} characters")
        raise InvalidInput("The idempotency key has the wrong length.", [fault])
    return uuid5(kind, json.dumps([owner_id, key]))


@frozen
class Keyed:
    """A request that came with a key: the ``id`` of what it makes, and a ``digest`` (SHA-256) of what it asks for."""

    id: UUID
    digest: bytes

    @classmethod
    def of(cls, kind: UUID, owner_id: str, key: str | None, *asked: object) -> "Keyed | None":
        """``None`` without a key. ``asked`` is JSON. Raises `InvalidInput` for a key that can be none."""
        if key is None:
            return None
        return cls(id_for(kind, owner_id, key), hashlib.sha256(json.dumps(asked).encode()).digest())

    def check_repeats(self, digest: bytes | None) -> None:
        """Raises `IdempotencyKeyReused` unless what is there came of a request with this ``digest``."""
        if digest != self.digest:
            raise IdempotencyKeyReused("This idempotency key was used for another request.", made=str(self.id))
