"""For whom a thing is. Pure."""

from enum import StrEnum


class Visibility(StrEnum):
    """``public``: listed and open to all; ``unlisted``: open to whoever has the id; ``private``: the owner's."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    PRIVATE = "private"


class Audience(StrEnum):
    """As whom somebody comes to a thing: as its owner, or as one of all."""

    OWNER = "owner"
    PUBLIC = "public"


class EventAudience(StrEnum):
    """For whom an event is: the owner of what it is about, the members of a gallery, or one user."""

    OWNER = "owner"
    MEMBERS = "members"
    USER = "user"
