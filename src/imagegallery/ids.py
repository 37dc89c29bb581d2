"""Ids are UUIDv7 (RFC 9562 section 5.7): ordered by creation time, so that new rows land together in an index."""

from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """A fresh UUIDv7; ids from one process are strictly increasing."""
    return uuid_utils.compat.uuid7()


def parse_id(text: str) -> UUID | None:
    """The id in its one form (RFC 9562 section 4: digits in any case, hyphens), else ``None``."""
    try:
        parsed = UUID(text)
    except ValueError:
        return None
    return parsed if str(parsed) == text.lower() else None
