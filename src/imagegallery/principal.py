"""The principal of a call. Every service call names its principal and checks access for it."""

from datetime import datetime

from attrs import Attribute, field, frozen

from imagegallery.errors import Unauthenticated

MAX_USER_ID = 255


def _check_user_id(_: object, __: "Attribute[str | None]", user_id: str | None) -> None:
    """A host that makes unusable ids has a bug: it must not be treated as a visitor or another user."""
    if user_id is not None and not (1 <= len(user_id) <= MAX_USER_ID and user_id.isprintable()):
        raise ValueError(f"A user id is 1 to {MAX_USER_ID} printable characters.")


def _check_expires_at(_: object, __: "Attribute[datetime | None]", expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at.utcoffset() is None:
        raise ValueError("expires_at names no moment without its offset from UTC.")


@frozen
class Principal:
    """A signed-in user, or nobody. The host application's user ids are kept as text.

    ``expires_at`` is when they must sign in again (a token's ``exp``): streams end then. Raises `ValueError` for an id
    that is empty, longer than 255 characters or not printable, and for a time without its offset from UTC.
    """

    user_id: str | None = field(default=None, validator=_check_user_id)
    expires_at: datetime | None = field(default=None, validator=_check_expires_at, eq=False, kw_only=True)

    @classmethod
    def user(cls, user_id: object, *, expires_at: datetime | None = None) -> "Principal":
        """The user with this id; any id with a stable ``str`` works (``int``, ``UUID``, ``str``)."""
        return cls(str(user_id), expires_at=expires_at)

    @classmethod
    def anonymous(cls) -> "Principal":
        return cls(None)

    def require_user(self) -> str:
        """Return the user's id.

        Raises:
            Unauthenticated: For a visitor.
        """
        if self.user_id is None:
            raise Unauthenticated("Sign in to do this.")
        return self.user_id
