"""An owner, as whoever runs the service sees them. Pure."""

from attrs import frozen


@frozen
class Owner:
    """``storage_used`` and ``storage_limit`` in bytes; a limit of ``None`` is the one of the policy, if it has one."""

    owner_id: str
    storage_used: int = 0
    storage_limit: int | None = None
