"""Whether a request for a new upload that came with a key is a repeat (`imagegallery.common.idempotency`). Pure.

What was asked for then stands in the session's row.
"""

from uuid import UUID

from imagegallery.errors import IdempotencyKeyReused
from imagegallery.uploads.session.file_type import declared_type
from imagegallery.uploads.session.opener import NewUpload, stored_filename
from imagegallery.uploads.session.session import UploadSession

SESSIONS = UUID("0e0d9a3c-54f5-4a1e-8c2c-6d9a1f6ee5b7")
ONE_CALL = UUID("5d6fd0c1-3b0c-4d5e-9c0b-0c7f1f2d7b52")


def check_repeats(session: UploadSession, new: NewUpload) -> None:
    """Raises `IdempotencyKeyReused` unless ``session`` came of a request like ``new``."""
    declared = new.declaration
    if (
        (session.content_type, session.gallery_id)
        != (
            declared_type(declared.content_type, new.filename),
            new.gallery_id,
        )
        or session.filename != stored_filename(new.filename, session.content_type)
        or declared.size not in (None, session.size)
        or session.sha256 != declared.sha256
        or session.on_duplicate != declared.on_duplicate
    ):
        raise IdempotencyKeyReused("This idempotency key was used for another file.", upload_id=str(session.id))
