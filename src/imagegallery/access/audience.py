"""Who can see a thing. Pure."""

from enum import StrEnum
from typing import Literal, TypeAlias


class Visibility(StrEnum):
    """``public``: listed and open to all; ``unlisted``: open to everybody with the id; ``private``: only the
    owner's."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    PRIVATE = "private"


VisibilityLike: TypeAlias = Visibility | Literal["public", "unlisted", "private"]


class Audience(StrEnum):
    """How somebody sees a thing: as its owner, as one whom a share lets see it, or as anybody."""

    OWNER = "owner"
    SHARED = "shared"
    PUBLIC = "public"


class EventAudience(StrEnum):
    """Who receives an event: the owner of what it is about, the members of a gallery, or one user."""

    OWNER = "owner"
    MEMBERS = "members"
    USER = "user"
