"""Constraints on values beyond their types, in msgspec's terms: `parsing` checks them, `json_schema` describes them.

They annotate the fields of the request classes: ``Annotated[int, Meta(ge=1, le=100)]``. Pure.
"""

from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta

NOTHING_KEY: Final = "x-nothing"
# A time with its zone (RFC 3339).
Moment = Annotated[datetime, Meta(tz=True)]


def pattern(regex: str, meaning: str, *examples: str) -> Meta:
    """A text that matches ``regex`` as a whole; ``meaning`` describes it to people ("must be …")."""
    return Meta(pattern=f"^{regex}$", description=meaning, examples=[*examples] or None)


def example(value: object) -> Meta:
    """The value of such fields in the examples of the description."""
    return Meta(examples=[value])


# PostgreSQL's text cannot hold U+0000.
NO_NUL = pattern(r"[^\u0000]*", "text without NUL characters")
SHA256_HEX = pattern(r"[0-9a-fA-F]{64}", "the 64 hexadecimal digits of a SHA-256")
MEDIA_TYPE = pattern(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,63}", "a media type such as image/jpeg", "image/jpeg")
WORD = pattern(r"[a-z0-9_-]{1,64}", "a name of lower-case letters, digits, - and _", "medium")
MONTH = pattern(r"(?!0000)[0-9]{4}-(0[1-9]|1[0-2])", "a month such as 2024-06", "2026-06")
EVENT_TYPE = pattern(r"[a-z0-9_-]{1,50}(\.[a-z0-9_-]{1,50}){1,3}", "a type of event", "image.ready")
EVENT_ID = pattern(r"[0-9]{1,19}", "the id of an event", "42")
# JavaScript's text for nothing (in a query or form), and what forms send for an empty field: for a value that may be
# ``None``, these texts stand for it.
NOTHING_TEXTS: Final = ("", "null", "undefined")
NOTHING = Meta(extra_json_schema={NOTHING_KEY: NOTHING_TEXTS})


class Open:
    """An object that may have other fields than those of its class, which are ignored."""
