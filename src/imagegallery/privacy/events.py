"""Events about exports and erasures. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from attrs import field, frozen

from imagegallery.events.event import OwnerEvent, to_id


def _text(value: datetime | str) -> str:
    return value if isinstance(value, str) else value.isoformat()


@frozen
class ExportReady(OwnerEvent):
    """An archive of all that the owner has can be fetched, until ``expires_at``."""

    type: ClassVar[str] = "export.ready"
    export_id: UUID = field(converter=to_id)
    expires_at: str = field(converter=_text)


@frozen
class ErasureRequested(OwnerEvent):
    """The owner asked for all of theirs to be erased. It is closed to others; it is erased at ``erase_at``."""

    type: ClassVar[str] = "erasure.requested"
    erasure_id: UUID = field(converter=to_id)
    erase_at: str = field(converter=_text)


@frozen
class ErasureCancelled(OwnerEvent):
    """The owner stays: nothing is erased, and what was public is so again."""

    type: ClassVar[str] = "erasure.cancelled"
    erasure_id: UUID = field(converter=to_id)


@frozen
class OwnerErased(OwnerEvent):
    """Nothing that the owner had is left. The last event of theirs: with the receipt, how much of what there was."""

    type: ClassVar[str] = "owner.erased"
    erasure_id: UUID = field(converter=to_id)
    counts: Mapping[str, int] = field(factory=dict, hash=False)
