"""A request for a new upload that comes again since its answer was lost: known by the key that its client gave. Pure.

The meaning of ``Idempotency-Key`` (draft-ietf-httpapi-idempotency-key-header, section 2): the same key and the same
request answer the same upload, the same key and another request are an error. The session's id follows from its owner
and the key, so that there can be no second one, and nothing more need be remembered.
"""

import json
from uuid import UUID, uuid5

from imagegallery.errors import Fault, IdempotencyKeyReused, InvalidInput
from imagegallery.uploads.beginning import NewUpload, stored_filename
from imagegallery.uploads.policy import canonical_type
from imagegallery.uploads.session import UploadSession

MAX_IDEMPOTENCY_KEY = 255
_SESSIONS = UUID("0e0d9a3c-54f5-4a1e-8c2c-6d9a1f6ee5b7")


def session_id_for(owner_id: str, key: str) -> UUID:
    """The id of this owner's session for this key: a UUIDv5 (RFC 9562 section 5.5).

    Raises `InvalidInput` unless the key has 1 to 255 characters.
    """
    if not 1 <= len(key) <= MAX_IDEMPOTENCY_KEY:
        fault = Fault(("header", "Idempotency-Key"), f"must have 1 to {MAX_IDEMPOTENCY_KEY} characters")
        raise InvalidInput("The idempotency key has the wrong length.", [fault])
    return uuid5(_SESSIONS, json.dumps([owner_id, key]))


def check_repeats(session: UploadSession, new: NewUpload) -> None:
    """Raises `IdempotencyKeyReused` unless ``session`` came of a request like ``new``."""
    declared = new.declaration
    if (
        (session.content_type, session.gallery_id) != (canonical_type(declared.content_type), new.gallery_id)
        or session.filename != stored_filename(new.filename, session.content_type)
        or (session.size, session.sha256) != (declared.size, declared.sha256)
        or session.on_duplicate != declared.on_duplicate
    ):
        raise IdempotencyKeyReused("This idempotency key was used for another file.", upload_id=str(session.id))
