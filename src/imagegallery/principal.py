"""Who is asking. Every service call names its principal and is checked against it."""

from datetime import datetime

from attrs import Attribute, field, frozen

from imagegallery.errors import Unauthenticated

MAX_USER_ID = 255


def _check_user_id(_: object, __: "Attribute[str | None]", user_id: str | None) -> None:
    """A host that mints unusable ids has a bug: it must not pass for a visitor or for somebody else."""
    if user_id is not None and not (1 <= len(user_id) <= MAX_USER_ID and user_id.isprintable()):
        raise ValueError(f"A user id is 1 to {MAX_USER_ID} printable characters.")


def _check_expires_at(_: object, __: "Attribute[datetime | None]", expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at.utcoffset() is None:
        raise ValueError("expires_at names no moment without its offset from UTC.")


@frozen
class Principal:
    """A signed-in user, or nobody. User ids are the host application's own, kept as text.

    ``expires_at`` is when they have to prove anew who they are (a token's ``exp``): a stream goes on no longer.
    Raises `ValueError` for an id that is empty, longer than 255 characters or not printable, and for a time without
    its offset from UTC.
    """

    user_id: str | None = field(default=None, validator=_check_user_id)
    expires_at: datetime | None = field(default=None, validator=_check_expires_at, eq=False, kw_only=True)

    @classmethod
    def user(cls, user_id: object, *, expires_at: datetime | None = None) -> "Principal":
        """The user with this id; any id whose ``str`` is stable will do (``int``, ``UUID``, ``str``)."""
        return cls(str(user_id), expires_at=expires_at)

    @classmethod
    def anonymous(cls) -> "Principal":
        return cls(None)

    def require_user(self) -> str:
        """The user's id.

        Raises `Unauthenticated` for a visitor.
        """
        if self.user_id is None:
            raise Unauthenticated("Sign in to do this.")
        return self.user_id
