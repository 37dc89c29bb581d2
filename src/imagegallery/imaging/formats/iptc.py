"""When a picture was made, by IPTC (Information Interchange Model, version 4.2) in Photoshop's resources. Pure."""

from collections.abc import Iterator
from typing import Final

MAX_BLOCK: Final = 1024**2
MAX_DATASETS: Final = 1_000
MAX_RESOURCES: Final = 1_000

# Sections 6.1 (2:55 and 2:60, when the picture was made) and 6.2 (2:62 and 2:63, when it was digitised).
_DATES_AND_TIMES: Final = ((55, 60), (62, 63))
_APPLICATION_RECORD: Final = 2
_SIGNATURE: Final = b"8BIM"
_IIM_RESOURCE: Final = 0x0404


def read_times(block: bytes) -> tuple[str, ...]:
    """``20240630T180405+0200``, or the day alone, for each time there is. Never raises."""
    datasets = dict(reversed(list(_datasets(_information(block[:MAX_BLOCK])))))
    times = ((datasets.get(date, ""), datasets.get(time, "")) for date, time in _DATES_AND_TIMES)
    return tuple(f"{date}T{time}" if time else date for date, time in times if date)


def _information(block: bytes) -> bytes:
    """The resource that holds the datasets, after Photoshop's name if that is there; or the datasets alone.

    Each is a signature, a number, a name padded to an even length, and four bytes of length before padded data (Adobe
    Photoshop File Formats Specification, "Image Resources Section").
    """
    at = block.find(_SIGNATURE, 0, 64)
    if at < 0:
        return block
    for _ in range(MAX_RESOURCES):
        if block[at : at + 4] != _SIGNATURE or at + 12 > len(block):
            break
        number = int.from_bytes(block[at + 4 : at + 6], "big")
        data_at = at + 6 + _even(1 + block[at + 6]) + 4
        size = int.from_bytes(block[data_at - 4 : data_at], "big")
        if number == _IIM_RESOURCE:
            return block[data_at : data_at + size]
        at = data_at + _even(size)
    return b""


def _datasets(information: bytes) -> Iterator[tuple[int, str]]:
    """Number and text of the application record's datasets: 0x1C, record, number, two bytes of length, data."""
    at = 0
    for _ in range(MAX_DATASETS):
        if at + 5 > len(information) or information[at] != 0x1C:
            return
        record, number, size = (
            information[at + 1],
            information[at + 2],
            int.from_bytes(information[at + 3 : at + 5], "big"),
        )
        if size & 0x8000:  # the length of the length, for values longer than any date
            return
        if record == _APPLICATION_RECORD:
            yield number, information[at + 5 : at + 5 + min(size, 32)].decode("ascii", "replace")
        at += 5 + size


def _even(size: int) -> int:
    return size + size % 2
