"""Whose the picture of a row is. Pure."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

from imagegallery.principal import Principal

SITE: Final = "site"
"""The owner of pictures that are nobody's in particular: the application's own."""

Owner = str | Callable[[Any], object] | None
"""Where a row says whose its picture is: the name of an attribute (with dots for one of a related row), a function of
the row, or ``None`` for `SITE`. It gives a user's id, or a row with a primary key ``pk``."""


def owner_of(row: object, owner: Owner) -> Principal:
    """The owner of a row's picture.

    Raises:
        ValueError: If the row does not say.
    """
    if owner is None:
        return Principal.user(SITE)
    found = attrgetter(owner)(row) if isinstance(owner, str) else owner(row)
    user_id = getattr(found, "pk", found)
    if user_id is None:
        name = f"its {owner!r}" if isinstance(owner, str) else "what its `owner` says"
        raise ValueError(f"A picture of {type(row).__name__} belongs to {name}: set it before the picture is saved.")
    return Principal.user(user_id)
