"""EXIF blocks made by hand."""

import struct
from collections.abc import Callable, Mapping

ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SLONG, SRATIONAL = 2, 3, 4, 5, 7, 9, 10
Field = tuple[int, int, bytes]  # type, count, bytes


def text(value: str | bytes) -> Field:
    data = (value.encode() if isinstance(value, str) else value) + b"\0"
    return ASCII, len(data), data


def rationals(order: str, *pairs: tuple[int, int], kind: int = RATIONAL) -> Field:
    code = "i" if kind == SRATIONAL else "I"
    return kind, len(pairs), b"".join(struct.pack(f"{order}2{code}", *pair) for pair in pairs)


def shorts(order: str, *values: int) -> Field:
    return SHORT, len(values), struct.pack(f"{order}{len(values)}H", *values)


def directory(order: str, fields: Mapping[int, Field], at: int) -> bytes:
    """One IFD that will stand at offset ``at``, its long values after it."""
    head = struct.pack(f"{order}H", len(fields))
    entries, values = b"", b""
    values_at = at + 2 + 12 * len(fields) + 4
    for tag, (kind, count, data) in sorted(fields.items()):
        if len(data) > 4:
            slot = struct.pack(f"{order}I", values_at + len(values))
            values += data
        else:
            slot = data.ljust(4, b"\0")
        entries += struct.pack(f"{order}HHI", tag, kind, count) + slot
    return head + entries + bytes(4) + values


def block(
    order: str = "<",
    image: Mapping[int, Field] | None = None,
    camera: Mapping[int, Field] | None = None,
    place: Mapping[int, Field] | None = None,
) -> bytes:
    """A TIFF stream with IFD0, the Exif IFD and the GPS IFD."""

    def pointer(offset: int) -> Field:
        return LONG, 1, struct.pack(f"{order}I", offset)

    base = dict(image or {})
    size = len(directory(order, {**base, 0x8769: pointer(0), 0x8825: pointer(0)}, 8))
    camera_bytes = directory(order, camera or {}, 8 + size)
    place_at = 8 + size + len(camera_bytes)
    first = directory(order, {**base, 0x8769: pointer(8 + size), 0x8825: pointer(place_at)}, 8)
    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    return header + first + camera_bytes + directory(order, place or {}, place_at)


def block_with_note(make: str, note: Callable[[int], bytes], camera: Mapping[int, Field] | None = None) -> bytes:
    """A block with a maker note; ``note`` makes it for the offset at which it will stand."""

    def whole(data: bytes) -> bytes:
        return block(image={0x010F: text(make)}, camera={**(camera or {}), 0x927C: (UNDEFINED, len(data), data)})

    blank = b"\xa5" * len(note(0))
    return whole(note(whole(blank).index(blank)))
