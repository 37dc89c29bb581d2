"""Maker notes of Canon and Nikon, made by hand."""

import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone

import pytest
from tests.images.metadata.exif_blocks import (
    SLONG,
    UNDEFINED,
    Field,
    block_with_note,
    directory,
    rationals,
    shorts,
    text,
)

from imagegallery.images.metadata.metadata import Metadata, read_metadata
from imagegallery.imaging.protocol import Notes

CANON_SETTINGS = dict.fromkeys(range(26), 0) | {23: 10800, 24: 5400, 25: 1000}


def canon(fields: Mapping[int, Field]) -> Metadata:
    return read_metadata(block_with_note("Canon", lambda at: directory("<", fields, at)))


def nikon(fields: Mapping[int, Field], order: str = ">", version: bytes = b"\x02\x10\0\0") -> Metadata:
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    inner = b"Nikon\0" + version + head + directory(order, fields, 8)
    return read_metadata(block_with_note("NIKON CORPORATION", lambda _at: inner))


def test_canons_lens_has_a_name_or_two_lengths() -> None:
    settings = shorts("<", *CANON_SETTINGS.values())
    assert canon({0x0001: settings, 0x0095: text("EF24-105mm f/4L IS USM")}).lens == "EF24-105mm f/4L IS USM"
    assert canon({0x0001: settings}).lens == "5.4-10.8mm"
    assert canon({0x0001: shorts("<", *[0] * 26)}).lens is None


@pytest.mark.parametrize(
    ("chosen", "automatic", "base", "iso"),
    [
        (17, 0, 0, 100),
        (0x4000 | 3200, 0, 0, 3200),
        (0x7FFF, 0, 160, 100),
        (15, 32, 160, 200),
        (15, 0x10000 - 32, 160, 50),
        (15, 0, 0, None),
        (15, 0, 30_000, None),
    ],
)
def test_canons_sensitivity_was_chosen_or_is_base_by_automatic(
    chosen: int, automatic: int, base: int, iso: int | None
) -> None:
    settings = shorts("<", *(CANON_SETTINGS | {16: chosen}).values())
    assert canon({0x0001: settings, 0x0004: shorts("<", 0, automatic, base)}).iso == iso


@pytest.mark.parametrize("order", ["<", ">"])
def test_nikons_lens_and_sensitivity(order: str) -> None:
    lens = rationals(order, (180, 10), (550, 10), (35, 10), (56, 10))
    found = nikon({0x0002: shorts(order, 0, 800), 0x0084: lens}, order)
    assert (found.lens, found.iso) == ("18-55mm f/3.5-5.6", 800)


def test_a_nikon_note_of_the_first_kind_is_not_read() -> None:
    assert nikon({0x0002: shorts(">", 0, 800)}, version=b"\x01\0\0\0").iso is None


def test_exif_comes_before_the_note_and_the_note_before_xmp() -> None:
    notes = Notes(xmp_lenses=("XMP lens",), xmp_sensitivities=("6400",))
    bare = read_metadata(b"", notes)
    assert (bare.lens, bare.iso) == ("XMP lens", 6400)
    block = block_with_note("Canon", lambda at: directory("<", {0x0095: text("Note lens")}, at))
    assert read_metadata(block, notes).lens == "Note lens"


def zoned(make: str, tag: int, zone: Field) -> Metadata:
    """Taken at noon by a camera whose maker note tells its zone."""

    def note(at: int) -> bytes:
        fields = {tag: zone}
        if make == "Canon":
            return directory("<", fields, at)
        return b"Nikon\0\x02\x10\0\0II*\0" + struct.pack("<I", 8) + directory("<", fields, 8)

    return read_metadata(block_with_note(make, note, camera={0x9003: text("2024:06:30 12:00:00")}))


@pytest.mark.parametrize(
    ("minutes", "city", "offset"), [(120, 20, "+02:00"), (-210, 33, "-03:30"), (120, 0, None), (900, 20, None)]
)
def test_canons_zone_counts_once_the_camera_knows_its_city(minutes: int, city: int, offset: str | None) -> None:
    zone: Field = (SLONG, 4, struct.pack("<4i", 16, minutes, city, 60))
    assert zoned("Canon", 0x0035, zone).taken_at_offset == offset


def test_nikons_zone_is_moved_by_daylight_saving() -> None:
    found = zoned("NIKON", 0x0024, (UNDEFINED, 4, struct.pack("<hBB", 60, 1, 0)))
    assert found.taken_at == datetime(2024, 6, 30, 12, tzinfo=timezone(timedelta(hours=2)))
    assert found.taken_at == datetime(2024, 6, 30, 10, tzinfo=UTC)
