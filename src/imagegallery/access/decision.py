"""The one decision: what a principal may do with a thing, by a few facts about it. Pure.

What may not be seen does not exist: its absence and its refusal are the same `NotFound`.
"""

from functools import lru_cache
from typing import Protocol, TypeVar

from attrs import frozen

from imagegallery.access.audience import Audience, Visibility
from imagegallery.access.permission import OWNER, Permission
from imagegallery.errors import Forbidden, NotFound
from imagegallery.principal import Principal


@frozen
class Facts:
    """What is decided by. An image is as visible as the most visible of the galleries that it is in."""

    owner_id: str
    visibility: Visibility = Visibility.PRIVATE
    is_trashed: bool = False

    @property
    def facts(self) -> "Facts":
        """Themselves, for what else is not needed."""
        return self

    def to_bytes(self) -> bytes:
        """For a cache; what is in the trash is in none."""
        return f"{self.visibility} {self.owner_id}".encode()

    @classmethod
    def from_bytes(cls, encoded: bytes) -> "Facts":
        """The inverse of `to_bytes`."""
        return _decode(encoded)


@lru_cache(maxsize=1024)
def _decode(encoded: bytes) -> Facts:
    visibility, _, owner_id = encoded.decode().partition(" ")
    return Facts(owner_id, Visibility(visibility))


def audience(principal: Principal, facts: Facts) -> Audience | None:
    """As whom the principal sees the thing; ``None``: not at all. Those of one audience see the same of it."""
    if principal.user_id is not None and principal.user_id == facts.owner_id:
        return Audience.OWNER
    is_open = facts.visibility is not Visibility.PRIVATE and not facts.is_trashed
    return Audience.PUBLIC if is_open else None


def permissions(principal: Principal, facts: Facts) -> Permission:
    """All that the principal may do. In the trash a thing exists only to be brought back or deleted for good."""
    match audience(principal, facts):
        case Audience.OWNER:
            return Permission.DELETE if facts.is_trashed else OWNER
        case Audience.PUBLIC:
            return Permission.VIEW
        case None:
            return Permission.NONE


def members(facts: Facts) -> frozenset[str]:
    """The users who may see it whatever its visibility, and so hear of it: its owner alone, as nothing is shared."""
    return frozenset({facts.owner_id})


def is_public(facts: Facts) -> bool:
    """Whether everybody may see it, so that its URLs may be those that work for everybody."""
    return Permission.VIEW in permissions(Principal.anonymous(), facts)


class Governed(Protocol):
    """What may be done with it is decided by its facts."""

    @property
    def facts(self) -> Facts: ...


Thing = TypeVar("Thing", bound=Governed)


def require(needed: Permission, principal: Principal, found: Thing | None, kind: str) -> Thing:
    """What was found, for a principal who may do that with it. ``kind`` is what it is called ("image").

    Raises `NotFound` where there is nothing that the principal may see, and `Forbidden` where there is.
    """
    granted = Permission.NONE if found is None else permissions(principal, found.facts)
    if found is not None and granted and needed in granted:
        return found
    if Permission.VIEW not in granted:
        raise NotFound(f"There is no such {kind}.")
    raise Forbidden(f"Only its owner can do this to the {kind}.")
