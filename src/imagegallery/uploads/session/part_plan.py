"""How a file is cut into parts, and whether the arrived parts are the file. Pure."""

from collections.abc import Sequence
from datetime import datetime

from attrs import field, frozen
from attrs.validators import gt

from imagegallery.errors import Fault, InvalidInput, PartMismatch, TooLarge, UploadIncomplete
from imagegallery.storage.protocol import Part, PartLimits, UploadRequest

MAX_SIGNED_AT_ONCE = 100
_NAMED_IN_WORDS = 5


@frozen
class PartPlan:
    """A file of ``total`` bytes in parts of ``size`` bytes, except for the last: some stores need equal ones."""

    total: int = field(validator=gt(0))
    size: int = field(validator=gt(0))

    @property
    def count(self) -> int:
        return -(-self.total // self.size)

    def length(self, number: int) -> int:
        """The bytes of part ``number``, which counts from 1."""
        return min(self.size, self.total - (number - 1) * self.size)


@frozen
class SignedPart:
    """What a client must send for one part: at most ``size`` bytes, before ``expires_at``."""

    number: int
    size: int
    request: UploadRequest
    expires_at: datetime


@frozen
class ClaimedPart:
    """A client's claim about a part: ``etag`` is from the store's response, unquoted; ``None`` if not given."""

    number: int
    etag: str | None = None


def plan_parts(total: int, preferred: int, limits: PartLimits) -> PartPlan:
    """Parts of ``preferred`` bytes, or the nearest size within the store's limits.

    Raises `TooLarge` if the store cannot hold ``total`` bytes in parts.
    """
    size = max(min(preferred, limits.largest), limits.smallest, -(-total // limits.most))
    if size > limits.largest:
        most = limits.largest * limits.most
        raise TooLarge(f"The store takes files of at most {most:,} bytes.", limit=most)
    return PartPlan(total, min(size, total))


def missing_parts(stored: Sequence[Part], count: int) -> list[int]:
    """The parts from 1 to ``count`` that have not arrived."""
    there = {part.number for part in stored}
    return [number for number in range(1, count + 1) if number not in there]


def check_numbers(numbers: Sequence[int], most: int) -> None:
    """Raise `InvalidInput` unless these are 1 to 100 different parts, none beyond ``most``."""
    faults = [
        Fault(("body", "numbers", str(index)), f"must be 1 to {most:,}")
        for index, number in enumerate(numbers)
        if not 1 <= number <= most
    ]
    if not 1 <= len(numbers) <= MAX_SIGNED_AT_ONCE or len(set(numbers)) < len(numbers):
        faults.append(Fault(("body", "numbers"), f"must be 1 to {MAX_SIGNED_AT_ONCE} different parts"))
    if faults:
        raise InvalidInput("These are not parts of the upload.", faults)


def parts_to_join(
    stored: Sequence[Part], claimed: Sequence[ClaimedPart] | None, plan: PartPlan | None, limits: PartLimits
) -> list[Part]:
    """The parts of the file, in order. Without a ``plan`` the client has chosen their sizes.

    Raises `InvalidInput` if ``claimed`` is not 1, 2, 3 and so on, `UploadIncomplete` for missing parts, and
    `PartMismatch` for a part that differs from the claim or the plan, or is shorter than the store allows. Sending
    parts again can correct all of this.
    """
    if claimed is not None:
        _check_order(claimed, plan.count if plan else limits.most)
        stored = [part for part in stored if part.number <= len(claimed)]
    count = plan.count if plan else len(claimed or ()) or max((part.number for part in stored), default=0)
    missing = missing_parts(stored, count)
    if missing or not count:
        raise _incomplete(missing)
    by_number = {part.number: part for part in stored}
    parts = [by_number[number] for number in range(1, count + 1)]
    _check_etags(by_number, claimed or ())
    _check_sizes(parts, plan, limits)
    return parts


def _check_order(claimed: Sequence[ClaimedPart], most: int) -> None:
    faults = [
        Fault(("body", "parts", str(index)), f"must be part {index + 1}: each once, in order")
        for index, part in enumerate(claimed)
        if part.number != index + 1
    ]
    if not 1 <= len(claimed) <= most:
        faults.append(Fault(("body", "parts"), f"must have 1 to {most:,} entries"))
    if faults:
        raise InvalidInput("The parts are not in order.", faults)


def _check_etags(stored: dict[int, Part], claimed: Sequence[ClaimedPart]) -> None:
    for part in claimed:
        if part.etag is not None and part.etag != stored[part.number].etag:
            raise PartMismatch(f"Part {part.number} is stored with another ETag; send it again.", number=part.number)


def _check_sizes(parts: Sequence[Part], plan: PartPlan | None, limits: PartLimits) -> None:
    for part in parts:
        if plan is not None and part.size != plan.length(part.number):
            raise _wrong_size(part, f"{plan.length(part.number):,}", plan.length(part.number))
        if plan is None and part.size < limits.smallest and part is not parts[-1]:
            raise _wrong_size(part, f"at least {limits.smallest:,}", limits.smallest)


def _wrong_size(part: Part, in_words: str, expected: int) -> PartMismatch:
    return PartMismatch(
        f"Part {part.number} has {part.size:,} bytes and must have {in_words}; send it again.",
        number=part.number,
        expected=expected,
        received=part.size,
    )


def _incomplete(missing: Sequence[int]) -> UploadIncomplete:
    if not missing:
        return UploadIncomplete("No part has arrived yet.")
    named = ", ".join(map(str, missing[:_NAMED_IN_WORDS])) + (" …" if len(missing) > _NAMED_IN_WORDS else "")
    return UploadIncomplete(f"Parts have not arrived yet: {named}.", missing=len(missing), first=missing[0])
