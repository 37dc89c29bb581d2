"""What the service stores, as administrators see it. Pure."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from attrs import frozen


class StorageState(StrEnum):
    """``images`` are in use; ``processing`` ones have no variants yet, ``failed`` ones never will; ``trash`` waits for
    its end; ``variants`` are renderings; ``incoming`` is announced by uploads under way."""

    IMAGES = "images"
    PROCESSING = "processing"
    FAILED = "failed"
    TRASH = "trash"
    VARIANTS = "variants"
    INCOMING = "incoming"


@frozen
class Amount:
    """``count`` things with all their ``bytes``. One that is not exact is taken from a part of the table."""

    count: int = 0
    bytes: int = 0
    is_exact: bool = True

    def scaled(self, share: float) -> "Amount":
        """As many as there are if these are that ``share`` of all."""
        if share >= 1:
            return self
        return Amount(round(self.count / share), round(self.bytes / share), is_exact=False)


@frozen
class StoredImages:
    """A row of the images that were looked at: one state, or one day."""

    state: StorageState | None
    day: date | None
    amount: Amount


@frozen
class Day:
    """The images that came on a day (UTC) and are there still."""

    day: date
    images: int
    bytes: int


@frozen
class StorageReport:
    """``used`` are the bytes of originals as they count for their owners, one that several images share once.
    ``growth`` are the last days on which images came."""

    owners: int
    used: Amount
    states: tuple[tuple[StorageState, Amount], ...]
    growth: tuple[Day, ...]

    @classmethod
    def of(cls, owners: Amount, images: Sequence[StoredImages], variants: Amount, incoming: Amount) -> "StorageReport":
        """``owners`` are counted with the bytes that they use."""
        found = {each.state: each.amount for each in images if each.state is not None}
        found |= {StorageState.VARIANTS: variants, StorageState.INCOMING: incoming}
        days = [Day(each.day, each.amount.count, each.amount.bytes) for each in images if each.day is not None]
        return cls(
            owners.count,
            owners,
            tuple((state, found.get(state, Amount())) for state in StorageState),
            tuple(sorted(days, key=lambda each: each.day)),
        )
