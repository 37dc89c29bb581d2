"""The one access decision: what a principal may do with a thing, from a few facts about it. Pure.

What a principal may not see does not exist for them: both are the same `NotFound`.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Protocol, TypeVar

from attrs import frozen

from imagegallery.access.audience import Audience, Visibility
from imagegallery.access.contributor import Contributor
from imagegallery.access.grant import Grant, all_permissions
from imagegallery.access.permission import OWNER, VIEWER, Permission
from imagegallery.errors import Forbidden, NotFound
from imagegallery.principal import Principal, Role


@frozen
class Facts:
    """The facts to decide by. An image is as visible as the most visible of itself and its galleries.

    ``grants`` are what live shares give the principal who asks, and nobody else (`imagegallery.access.records`). With
    ``is_shared`` false no share reaches it. ``contributor`` is who adds it to the owner's gallery, as long as it is
    under way: an upload, or an image that ``is_pending``, waits for the owner's approval, and so does not exist for
    anybody else.
    """

    owner_id: str
    visibility: Visibility = Visibility.PRIVATE
    is_trashed: bool = False
    grants: tuple[Grant, ...] = ()
    is_shared: bool = True
    contributor: Contributor | None = None
    is_pending: bool = False

    @property
    def facts(self) -> "Facts":
        """Itself, where only facts are needed."""
        return self

    def to_bytes(self) -> bytes:
        """Encode for a cache, without ``grants``; it holds nothing that is in the trash."""
        return f"{self.visibility} {self.is_shared:d} {self.owner_id}".encode()

    @classmethod
    def from_bytes(cls, encoded: bytes) -> "Facts":
        """The inverse of `to_bytes`."""
        return _decode(encoded)


@lru_cache(maxsize=1024)
def _decode(encoded: bytes) -> Facts:
    visibility, is_shared, owner_id = encoded.decode().split(" ", 2)
    return Facts(owner_id, Visibility(visibility), is_shared=is_shared == "1")


def audience(principal: Principal, facts: Facts) -> Audience | None:
    """How the principal sees the thing; ``None`` if they do not.

    All who see it as its owner, or as anybody, see the same; what those see whom shares let, their grants say
    (`imagegallery.access.disclosure`).
    """
    if _is_owner(principal, facts):
        return Audience.OWNER
    if _adds(principal, facts) or Permission.VIEW in _granted(principal, facts):
        return Audience.SHARED
    return Audience.PUBLIC if is_public(facts) else None


def permissions(principal: Principal, facts: Facts) -> Permission:
    """All that the principal may do: what everybody may, and what every share that reaches the thing allows them.

    A thing in the trash can only be restored or deleted, by its owner. One that waits for approval can only be seen,
    by its owner and who adds it; what is on its way belongs to both.
    """
    if facts.is_pending:
        if _is_owner(principal, facts):
            return VIEWER
        return Permission.VIEW if _adds(principal, facts) else Permission.NONE
    if _is_owner(principal, facts):
        return Permission.DELETE if facts.is_trashed else OWNER
    if _adds(principal, facts):
        return OWNER
    everybody = Permission.VIEW if is_public(facts) else Permission.NONE
    return everybody | _granted(principal, facts)


def may_gain(principal: Principal, facts: Facts) -> bool:
    """Whether shares could let the principal see or do more with it, so that their grants have to be known."""
    is_out_of_reach = facts.is_trashed or facts.is_pending or facts.contributor is not None or not facts.is_shared
    return _is_somebody(principal) and not is_out_of_reach and not _is_owner(principal, facts)


def is_looked_up(principal: Principal, facts: Facts | None) -> bool:
    """Whether to read what shares grant the principal: if it could matter; and of a thing that is private, in the trash
    or not there at all (``None``), in any case, so that it takes as long, whichever it is."""
    if facts is None or not is_public(facts):
        return _is_somebody(principal) and not (facts is not None and _is_owner(principal, facts))
    return may_gain(principal, facts)


def members(facts: Facts) -> frozenset[str]:
    """The users who receive its events: only its owner, as an event says more than a share may show."""
    return frozenset({facts.owner_id})


def is_public(facts: Facts) -> bool:
    """Whether everybody may see it, so that its URLs may be public."""
    return facts.visibility is not Visibility.PRIVATE and not facts.is_trashed and not facts.is_pending


def may_view(principal: Principal, facts: Facts) -> bool:
    """Whether the principal may see it: for several at once, of which the others are left out."""
    return Permission.VIEW in permissions(principal, facts)


def _is_somebody(principal: Principal) -> bool:
    return principal.user_id is not None or principal.link is not None


def _is_owner(principal: Principal, facts: Facts) -> bool:
    return principal.user_id is not None and principal.user_id == facts.owner_id


def _adds(principal: Principal, facts: Facts) -> bool:
    return facts.contributor is not None and facts.contributor.is_same(principal)


def _granted(principal: Principal, facts: Facts) -> Permission:
    return all_permissions(facts.grants) if may_gain(principal, facts) else Permission.NONE


def require_role(needed: Role, principal: Principal) -> str:
    """Return the id of a user of this role, or a greater one.

    Raises:
        Unauthenticated: For a visitor.
        Forbidden: For a user of a lesser role.
    """
    user_id = principal.require_user()
    if principal.role < needed:
        raise Forbidden(f"Only {_WHO[needed]} can do this.")
    return user_id


_WHO: Final[Mapping[Role, str]] = {
    Role.MEMBER: "users",
    Role.MODERATOR: "moderators and administrators",
    Role.ADMIN: "administrators",
}


class HasFacts(Protocol):
    """A thing whose permissions follow from its facts."""

    @property
    def facts(self) -> Facts: ...


Thing = TypeVar("Thing", bound=HasFacts)


def require_own(principal: Principal, found: Thing | None, kind: str) -> Thing:
    """Return ``found`` if it is the principal's own, outside of the trash, and does not wait for their approval.

    Raises:
        NotFound: For anything else, even if the principal may see it: an id in a form must not tell.
    """
    is_here = found is not None and not (found.facts.is_trashed or found.facts.is_pending)
    if found is None or not is_here or audience(principal, found.facts) is not Audience.OWNER:
        raise NotFound.of(kind)
    return found


def contributor_to(principal: Principal, facts: Facts) -> Contributor | None:
    """The principal as one that adds to this thing; ``None`` for its owner. Raises as `Contributor.of`."""
    return None if _is_owner(principal, facts) else Contributor.of(principal)


def require_contributor(principal: Principal, found: Thing | None, kind: str) -> Thing:
    """Return ``found`` if the principal added it in its owner's place. Raises `NotFound` for anything else."""
    if found is None or not _adds(principal, found.facts):
        raise NotFound.of(kind)
    return found


def require(needed: Permission, principal: Principal, found: Thing | None, kind: str) -> Thing:
    """Return ``found`` if the principal may do that with it. ``kind`` is its name in errors ("image").

    Raises:
        NotFound: If there is nothing that the principal may see.
        Forbidden: If the principal may see it, but not do that.
    """
    granted = Permission.NONE if found is None else permissions(principal, found.facts)
    if found is not None and granted and needed in granted:
        return found
    if Permission.VIEW not in granted:
        raise NotFound.of(kind)
    raise Forbidden(f"You may see the {kind}, but not do this with it.")


def require_owner(principal: Principal, thing: HasFacts, kind: str) -> None:
    """Raise `Forbidden` unless the principal, who may see it, owns it: for what no share can allow."""
    if audience(principal, thing.facts) is not Audience.OWNER:
        raise Forbidden(f"Only its owner can do this to the {kind}.")
