"""The principal of a call. Every service call names its principal and checks access for it."""

from collections.abc import Iterable
from datetime import datetime
from enum import IntEnum
from uuid import UUID

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


def _lowered(emails: Iterable[str]) -> frozenset[str]:
    return frozenset(each.lower() for each in emails)


def _each_once(groups: Iterable[str]) -> frozenset[str]:
    return frozenset(groups)


class Role(IntEnum):
    """What a user is to the whole service; a greater one may do what the lesser may."""

    MEMBER = 0
    MODERATOR = 1
    ADMIN = 2


@frozen
class LinkIdentity:
    """A visitor by a share's link, which was opened: its password was given, its views are counted. ``guest_id`` is of
    one who gave a name, ``guest_name``."""

    share_id: UUID
    guest_id: UUID | None = None
    guest_name: str = field(default="", eq=False)


@frozen
class Principal:
    """A signed-in user, who came by a link, or nobody. The host application's user ids are kept as text.

    ``emails`` are the user's verified addresses, in lower case, and ``groups`` the host's: shares may name both. A
    visitor by a ``link`` is that alone, and no user.

    ``expires_at`` is when they must sign in again (a token's ``exp``): streams end then. Raises `ValueError` for an id
    that is empty, longer than 255 characters or not printable, and for a time without its offset from UTC.
    """

    user_id: str | None = field(default=None, validator=_check_user_id)
    expires_at: datetime | None = field(default=None, validator=_check_expires_at, eq=False, kw_only=True)
    role: Role = field(default=Role.MEMBER, kw_only=True)
    emails: frozenset[str] = field(default=frozenset(), converter=_lowered, kw_only=True)
    groups: frozenset[str] = field(default=frozenset(), converter=_each_once, kw_only=True)
    link: LinkIdentity | None = field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.link is not None and self.user_id is not None:
            raise ValueError("Who came by a link is no user.")

    @classmethod
    def user(
        cls,
        user_id: object,
        *,
        expires_at: datetime | None = None,
        role: Role = Role.MEMBER,
        emails: Iterable[str] = (),
        groups: Iterable[str] = (),
    ) -> "Principal":
        """The user with this id; any id with a stable ``str`` works (``int``, ``UUID``, ``str``)."""
        return cls(str(user_id), expires_at=expires_at, role=role, emails=emails, groups=groups)

    @classmethod
    def by_link(cls, share_id: UUID, guest_id: UUID | None = None, guest_name: str = "") -> "Principal":
        """A visitor by the link of a share. The caller has opened it."""
        return cls(None, link=LinkIdentity(share_id, guest_id, guest_name))

    @classmethod
    def anonymous(cls) -> "Principal":
        return cls(None)

    def require_known(self) -> None:
        """Let a user pass, and who came by a link: what they may do, the decision says.

        Raises:
            Unauthenticated: For anybody else.
        """
        if self.link is None:
            self.require_user()

    def require_user(self) -> str:
        """Return the user's id.

        Raises:
            Unauthenticated: For a visitor.
        """
        if self.user_id is None:
            raise Unauthenticated("Sign in to do this.")
        return self.user_id
