"""Which of the times in a file is believed, and in which zone."""

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve
from tests.images.metadata.exif_blocks import Field, block, rationals, text

from imagegallery.images.metadata.capture_time import TakenAtSource
from imagegallery.images.metadata.metadata import Metadata, read_metadata, taken
from imagegallery.imaging.protocol import Notes

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)

# One file that tells every time there is, each of another year.
ORIGINAL, DIGITIZED, OFFSET = 0x9003, 0x9004, 0x9011
CAMERA = {ORIGINAL: text("2001:06:30 12:00:00"), DIGITIZED: text("2002:06:30 12:00:00")}
CHANGED = {0x0132: text("2005:06:30 12:00:00")}
GPS = {29: text("2006:06:30"), 7: rationals("<", (12, 1), (0, 1), (0, 1))}
NOTES = Notes(xmp_times=("2003-06-30T12:00:00",), iptc_times=("20040630T120000",), png_times=("2007-06-30T12:00:00Z",))


def test_the_sources_count_in_their_order() -> None:
    camera, image, place, notes = dict(CAMERA), dict(CHANGED), dict(GPS), NOTES
    found = []

    def look() -> None:
        metadata = read_metadata(block("<", image, camera, place), notes)
        at, source = taken(metadata, "IMG_20080630_120000.jpg", NOW)
        found.append((at.year, source.value))

    look()
    del camera[ORIGINAL]
    look()
    del camera[DIGITIZED]
    look()
    notes = evolve(notes, xmp_times=())
    look()
    notes = evolve(notes, iptc_times=())
    look()
    image.clear()
    look()
    place.clear()
    look()
    notes = Notes()
    look()
    assert found == [
        (2001, "exif_original"),
        (2002, "exif_digitized"),
        (2003, "xmp"),
        (2004, "iptc"),
        (2005, "exif_changed"),
        (2006, "gps"),
        (2007, "png"),
        (2008, "filename"),
    ]


def test_what_tells_nothing_has_the_time_of_its_upload() -> None:
    assert taken(read_metadata(b""), "tram.jpg", NOW) == (NOW, TakenAtSource.UPLOAD)


def test_a_source_that_makes_no_sense_gives_way_to_the_next() -> None:
    camera = {ORIGINAL: text("0000:00:00 00:00:00"), DIGITIZED: text("    :  :     :  :  ")}
    found = read_metadata(block("<", CHANGED, camera), Notes(xmp_times=("long ago",)))
    assert found.taken_at_source is TakenAtSource.EXIF_CHANGED


def test_a_mere_day_gives_way_to_a_time_of_that_day() -> None:
    day = Notes(xmp_times=("2006-10-29",), iptc_times=("20061029T062751-0500",))
    found = read_metadata(b"", day)
    assert (found.taken_at, found.taken_at_source) == (datetime(2006, 10, 29, 11, 27, 51, tzinfo=UTC), "iptc")
    other = read_metadata(b"", evolve(day, iptc_times=("20071029T062751-0500",)))
    assert (other.taken_at, other.taken_at_source) == (datetime(2006, 10, 29, tzinfo=UTC), "xmp")


def zone(camera: dict[int, Field], *, utc: str | None = None) -> Metadata:
    """Taken at noon; ``utc``: the satellites' time of that day."""
    place = {}
    if utc is not None:
        place = {29: text("2024:06:30"), 7: rationals("<", *((int(part), 1) for part in utc.split(":")))}
    return read_metadata(block("<", None, {ORIGINAL: text("2024:06:30 12:00:00"), **camera}, place))


@pytest.mark.parametrize(
    ("camera", "utc", "offset"),
    [
        ({OFFSET: text("+02:00")}, None, "+02:00"),
        ({0x9010: text("-05:00")}, None, "-05:00"),
        ({0x9012: text("+05:45")}, None, "+05:45"),
        ({ORIGINAL: text("2024-06-30T12:00:00+01:00"), OFFSET: text("+02:00")}, None, "+01:00"),
        ({OFFSET: text("+02:00")}, "9:0:0", "+02:00"),
        ({}, "9:0:30", "+03:00"),
        ({}, "9:5:0", None),
        ({}, None, None),
    ],
)
def test_the_offset_is_in_the_text_or_beside_it_or_told_by_satellites(
    camera: dict[int, Field], utc: str | None, offset: str | None
) -> None:
    assert zone(camera, utc=utc).taken_at_offset == offset


def test_the_time_of_a_change_has_its_own_offset_only() -> None:
    found = read_metadata(block("<", CHANGED, {OFFSET: text("+02:00")}))
    assert found.taken_at_offset is None
    assert read_metadata(block("<", CHANGED, {0x9010: text("+02:00")})).taken_at_offset == "+02:00"


def test_satellites_count_in_utc_to_the_fraction_of_a_second() -> None:
    place = {29: text("2006:06:30"), 7: rationals("<", (23, 1), (59, 1), (5950, 100))}
    found = read_metadata(block("<", None, None, place))
    assert found.taken_at == datetime(2006, 6, 30, 23, 59, 59, 500_000, tzinfo=UTC)
    assert found.taken_at_offset == "+00:00"
    wrong = {29: text("2006:06:30"), 7: rationals("<", (25, 1), (0, 1), (0, 1))}
    assert read_metadata(block("<", None, None, wrong)).taken_at is None


def test_zero_zero_is_no_place() -> None:
    nowhere = {1: text("N"), 2: rationals("<", (0, 1)), 3: text("E"), 4: rationals("<", (0, 1))}
    assert read_metadata(block(place=nowhere)).latitude is None
    equator = nowhere | {4: rationals("<", (32, 1))}
    assert read_metadata(block(place=equator)).latitude == 0.0


def test_a_guess_by_name_is_not_from_tomorrow() -> None:
    tomorrow = (NOW + timedelta(days=1)).strftime("%Y%m%d_%H%M%S.jpg")
    assert taken(Metadata(), tomorrow, NOW) == (NOW, TakenAtSource.UPLOAD)
