"""An owner, as operators of the service see them. Pure."""

from attrs import frozen


@frozen
class Owner:
    """``storage_used`` and ``storage_limit`` are in bytes. A limit of ``None`` is the policy's, if it has one."""

    owner_id: str
    storage_used: int = 0
    storage_limit: int | None = None
