"""The one that changes what holds for everybody. Pure."""

from attrs import frozen

from imagegallery.access.decision import require_role
from imagegallery.audit.entry import BY_OPERATOR, OPERATOR, Actor, by_role
from imagegallery.principal import Principal, Role


@frozen
class Governor:
    """An administrator, or an operator at the command line: their ``name`` stays with the version, and the audit keeps
    who acted by what grant."""

    name: str
    actor: Actor
    grant: str

    @classmethod
    def of(cls, principal: Principal) -> "Governor":
        """Raises `Unauthenticated`, and `Forbidden` for a user who is no administrator."""
        return cls(require_role(Role.ADMIN, principal), Actor.of(principal), by_role(Role.ADMIN.name.lower()))

    @classmethod
    def operator(cls, name: str) -> "Governor":
        """Somebody who may run commands on this machine."""
        return cls(name, OPERATOR, BY_OPERATOR)
