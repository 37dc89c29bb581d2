"""The one that adds to another's gallery, by a share: a user, or a guest of its link. Pure."""

from enum import StrEnum
from uuid import UUID

from attrs import field, frozen

from imagegallery.errors import NameRequired
from imagegallery.principal import Principal


class ContributorKind(StrEnum):
    """``user``: one who is signed in; ``guest``: a visitor by a link, under a name that they gave."""

    USER = "user"
    GUEST = "guest"


@frozen
class Contributor:
    """A user or a guest by their ``id``. Anybody may give any ``name``: it tells who it is to people only, and is not
    compared."""

    kind: ContributorKind
    id: str
    name: str = field(eq=False)

    @classmethod
    def of(cls, principal: Principal) -> "Contributor":
        """Raises `Unauthenticated` for nobody known, and `NameRequired` for a visitor who gave no name."""
        if principal.link is None:
            user_id = principal.require_user()
            return cls(ContributorKind.USER, user_id, user_id)
        guest = principal.link.guest_id
        if guest is None:
            raise NameRequired("Say who you are first, to add images.")
        return cls(ContributorKind.GUEST, str(guest), principal.link.guest_name)

    @classmethod
    def from_text(cls, text: str, name: str) -> "Contributor":
        """The inverse of `str`."""
        kind, _, id_ = text.partition(":")
        return cls(ContributorKind(kind), id_, name)

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

    def is_same(self, principal: Principal) -> bool:
        """Whether the principal is this one."""
        if self.kind is ContributorKind.USER:
            return principal.user_id == self.id
        return principal.link is not None and principal.link.guest_id == UUID(self.id)


def sender_of(principal: Principal) -> str:
    """What tells who sends a request apart from all others: no user's id begins like a guest's. Raises as
    `Contributor.of`."""
    sender = Contributor.of(principal)
    return sender.id if sender.kind is ContributorKind.USER else f"\0{sender}"
