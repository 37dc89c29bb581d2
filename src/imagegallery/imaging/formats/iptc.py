"""What IPTC says of a picture (Information Interchange Model, version 4.2) in Photoshop's resources. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

MAX_BLOCK: Final = 1024**2
MAX_DATASETS: Final = 1_000
MAX_RESOURCES: Final = 1_000
MAX_VALUE: Final = 20_000
"""Bytes that are read of one value."""

# Sections 6.1 (2:55 and 2:60, when the picture was made) and 6.2 (2:62 and 2:63, when it was digitised).
_DATES_AND_TIMES: Final = ((55, 60), (62, 63))
TITLES: Final = (5, 105)
TAGS: Final = 25
DESCRIPTION: Final = 120
_APPLICATION_RECORD: Final = 2
_SIGNATURE: Final = b"8BIM"
_IIM_RESOURCE: Final = 0x0404

Datasets = Mapping[int, Sequence[str]]


def read_datasets(block: bytes) -> Datasets:
    """The texts of the application record by their numbers, each in the order of the file. Never raises."""
    found: dict[int, list[str]] = {}
    for number, value in _datasets(_information(block[:MAX_BLOCK])):
        found.setdefault(number, []).append(_text(value))
    return found


def times(datasets: Datasets) -> tuple[str, ...]:
    """``20240630T180405+0200``, or the day alone, for each time there is."""
    first = {number: texts[0][:32] for number, texts in datasets.items()}
    days = ((first.get(date, ""), first.get(time, "")) for date, time in _DATES_AND_TIMES)
    return tuple(f"{date}T{time}" if time else date for date, time in days if date)


def _text(value: bytes) -> str:
    """UTF-8, which is declared (1:90) or not; otherwise Windows's Latin-1."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace")


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


def _datasets(information: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and value of the application record's datasets: 0x1C, record, number, two bytes of length, data."""
    at = 0
    for _ in range(MAX_DATASETS):
        if at + 5 > len(information) or information[at] != 0x1C:
            return
        record, number, start = information[at + 1], information[at + 2], at + 5
        size = int.from_bytes(information[at + 3 : start], "big")
        if size & 0x8000:  # the length of the length
            start += size & 0x7FFF
            size = int.from_bytes(information[at + 5 : min(start, at + 9)], "big")
        if record == _APPLICATION_RECORD:
            yield number, information[start : start + min(size, MAX_VALUE)]
        at = start + size


def _even(size: int) -> int:
    return size + size % 2
