"""EXIF blocks made by hand and by Pillow, and blocks made to hurt."""

import json
import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from attrs import asdict
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational
from tests.images.metadata.exif_blocks import (
    ASCII,
    LONG,
    RATIONAL,
    SHORT,
    SRATIONAL,
    Field,
    block,
    rationals,
    shorts,
    text,
)

from imagegallery.images.metadata.capture_time import TakenAtSource
from imagegallery.images.metadata.exif import MAX_ENTRIES, read_tags
from imagegallery.images.metadata.metadata import Metadata, from_json, read_metadata, to_json

# Every time that PostgreSQL's timestamptz and Python can both hold, whatever the offset, lies within.
POSTGRES_SAFE = (datetime(1799, 12, 31, tzinfo=UTC), datetime(3000, 1, 2, tzinfo=UTC))


def degrees(order: str, degrees: int, minutes: int, hundredths: int) -> Field:
    return rationals(order, (degrees, 1), (minutes, 1), (hundredths, 100))


def camera(**fields: Field) -> Metadata:
    tags = {tag.name: tag.value for tag in ExifTags.Base}
    return read_metadata(block(camera={tags[name]: value for name, value in fields.items()}))


def place(ref: Sequence[str], *, latitude: Field, longitude: Field) -> Metadata:
    return read_metadata(block(place={1: text(ref[0]), 2: latitude, 3: text(ref[1]), 4: longitude}))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("marker", [b"", b"Exif\0\0"])
def test_reads_what_a_camera_writes(order: str, marker: bytes) -> None:
    raw = block(
        order,
        image={0x010F: text("FUJIFILM  "), 0x0110: text("X-T5")},
        camera={
            0x829A: rationals(order, (1, 250)),
            0x829D: rationals(order, (28, 10)),
            0x8827: shorts(order, 400),
            0x9003: text("2024:06:30 18:04:05"),
            0x9011: text("+02:00"),
            0x9291: text("25"),
            0x920A: rationals(order, (35, 1)),
            0xA405: shorts(order, 53),
            0xA434: text("XF35mmF1.4 R"),
        },
        place={
            1: text("N"),
            2: degrees(order, 38, 42, 4980),
            3: text("W"),
            4: degrees(order, 9, 8, 2100),
            5: (1, 1, b"\1"),
            6: rationals(order, (125, 10)),
        },
    )
    assert read_metadata(marker + raw) == Metadata(
        make="FUJIFILM",
        model="X-T5",
        lens="XF35mmF1.4 R",
        exposure_time=0.004,
        f_number=2.8,
        iso=400,
        focal_length=35.0,
        focal_length_35mm=53,
        taken_at=datetime(2024, 6, 30, 18, 4, 5, 250_000, timezone(timedelta(hours=2))),
        taken_at_offset="+02:00",
        taken_at_source=TakenAtSource.EXIF_ORIGINAL,
        latitude=float(38 + Fraction(42, 60) + Fraction(498, 36000)),
        longitude=float(-(9 + Fraction(8, 60) + Fraction(21, 3600))),
        altitude=-12.5,
    )


def test_reads_what_pillow_writes() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Canon"
    exif[ExifTags.Base.Model] = "EOS R6"
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    inner[ExifTags.Base.DateTimeOriginal] = "2019:01:02 03:04:05"
    inner[ExifTags.Base.FNumber] = IFDRational(4)
    inner[ExifTags.Base.ISOSpeedRatings] = 12800
    inner[ExifTags.Base.LensSpecification] = (IFDRational(24), IFDRational(105), IFDRational(4), IFDRational(71, 10))
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef] = "S"
    gps[ExifTags.GPS.GPSLatitude] = (IFDRational(33), IFDRational(51), IFDRational(31))
    gps[ExifTags.GPS.GPSLongitudeRef] = "E"
    gps[ExifTags.GPS.GPSLongitude] = (IFDRational(151), IFDRational(12), IFDRational(51))

    metadata = read_metadata(exif.tobytes())

    assert (metadata.make, metadata.model, metadata.lens) == ("Canon", "EOS R6", "24-105mm f/4-7.1")
    assert (metadata.f_number, metadata.iso) == (4.0, 12800)
    assert metadata.taken_at == datetime(2019, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert metadata.taken_at_offset is None
    assert metadata.latitude == pytest.approx(-33.858611, abs=1e-6)
    assert metadata.longitude == pytest.approx(151.214167, abs=1e-6)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"Leica Camera AG\0junk after it", "Leica Camera AG"),
        (b"  padded \t\r\n", "padded"),
        (b"tab\tand\nline", "tab and line"),
        ("Nikon\u202egpj".encode(), "Nikongpj"),
        (b"caf\xe9", "café"),
        ("Café ™".encode(), "Café ™"),
        (b"x" * 1000, "x" * 255),
        (b"\x01\x02\x1b", None),
        (b"", None),
    ],
)
def test_text_is_cleaned(written: bytes, read: str | None) -> None:
    assert read_metadata(block(image={0x0110: text(written)})).model == read


@pytest.mark.parametrize(
    ("values", "lens"),
    [
        ([(50, 1), (50, 1), (18, 10), (18, 10)], "50mm f/1.8"),
        ([(18, 1), (55, 1), (0, 0), (0, 0)], "18-55mm"),
        ([(0, 0), (0, 0), (28, 10), (4, 1)], None),
        ([(50, 1)], None),
    ],
)
def test_a_lens_without_a_name_is_named_by_its_numbers(values: list[tuple[int, int]], lens: str | None) -> None:
    assert camera(LensSpecification=rationals("<", *values)).lens == lens


def test_unknown_and_senseless_numbers_are_none() -> None:
    metadata = camera(
        ExposureTime=rationals("<", (1, 0)),
        FNumber=rationals("<", (0, 0)),
        FocalLength=rationals("<", (-50, 1), kind=SRATIONAL),
        FocalLengthIn35mmFilm=shorts("<", 0),
        ISOSpeedRatings=shorts("<", 0),
    )
    assert metadata == Metadata()


def test_iso_beyond_16_bits_stands_elsewhere() -> None:
    elsewhere: Field = (LONG, 1, struct.pack("<I", 204_800))
    assert camera(ISOSpeedRatings=shorts("<", 65535), RecommendedExposureIndex=elsewhere).iso == 204_800
    assert camera(ISOSpeedRatings=shorts("<", 65535)).iso == 65535


@pytest.mark.parametrize(
    ("written", "offset", "utc"),
    [
        ("2024:06:30 18:04:05", "-05:30", datetime(2024, 6, 30, 23, 34, 5, tzinfo=UTC)),
        ("2024:06:30 18:04:05", "Z", datetime(2024, 6, 30, 18, 4, 5, tzinfo=UTC)),
        ("2024:06:30 18:04:05", "+25:00", datetime(2024, 6, 30, 18, 4, 5, tzinfo=UTC)),
        ("2024:06:30 18:04:05", "   :  ", datetime(2024, 6, 30, 18, 4, 5, tzinfo=UTC)),
        ("2024-06-30T18:04:05", "", datetime(2024, 6, 30, 18, 4, 5, tzinfo=UTC)),
        ("0000:00:00 00:00:00", "", None),
        ("    :  :     :  :  ", "", None),
        ("2023:02:29 12:00:00", "", None),
        ("2023:02:28 24:00:00", "", None),
        ("0001:01:01 00:00:00", "+14:00", None),
        ("9999:12:31 23:59:59", "-12:00", None),
        ("٢٠٢٤:06:30 18:04:05", "", None),
        ("yesterday", "", None),
    ],
)
def test_taken_at(written: str, offset: str, utc: datetime | None) -> None:
    assert camera(DateTimeOriginal=text(written), OffsetTimeOriginal=text(offset)).taken_at == utc


def test_digitised_time_stands_in_for_a_missing_original_time() -> None:
    metadata = camera(
        DateTimeOriginal=text("0000:00:00 00:00:00"),
        DateTimeDigitized=text("2001:01:01 00:00:00"),
        OffsetTimeDigitized=text("+01:00"),
        SubsecTimeDigitized=text("123456789"),
    )
    assert metadata.taken_at == datetime(2000, 12, 31, 23, 0, 0, 123_456, tzinfo=UTC)
    assert metadata.taken_at_offset == "+01:00"


@pytest.mark.parametrize(
    "wrong",
    [
        place("NE", latitude=degrees("<", 91, 0, 0), longitude=degrees("<", 9, 0, 0)),
        place("NE", latitude=degrees("<", 90, 0, 1), longitude=degrees("<", 9, 0, 0)),
        place("NE", latitude=degrees("<", 9, 0, 0), longitude=degrees("<", 181, 0, 0)),
        place("XE", latitude=degrees("<", 9, 0, 0), longitude=degrees("<", 9, 0, 0)),
        place("NE", latitude=rationals("<", (0, 0), (0, 0), (0, 0)), longitude=degrees("<", 9, 0, 0)),
        place("NE", latitude=rationals("<", (-9, 1), kind=SRATIONAL), longitude=degrees("<", 9, 0, 0)),
        read_metadata(block(place={1: text("N"), 2: degrees("<", 9, 0, 0)})),
    ],
)
def test_a_wrong_or_half_place_is_no_place(wrong: Metadata) -> None:
    assert (wrong.latitude, wrong.longitude) == (None, None)


def test_degrees_alone_are_a_place() -> None:
    decimal = rationals("<", (33_858_611, 1_000_000), (0, 0), (0, 0))
    found = place("se", latitude=decimal, longitude=rationals("<", (9, 1)))
    assert (found.latitude, found.longitude) == (-33.858611, 9.0)


def test_the_place_is_taken_out() -> None:
    metadata = Metadata(make="Canon", latitude=1.0, longitude=2.0, altitude=3.0)
    assert metadata.without_place() == Metadata(make="Canon")


def test_directories_that_point_at_themselves_end() -> None:
    looped = struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", 2)
    for tag in (0x8769, 0x8825):
        looped += struct.pack("<HHII", tag, LONG, 1, 8)
    assert read_metadata(looped + bytes(4)) == Metadata()


def test_entries_are_bounded() -> None:
    count = 65535
    filler = struct.pack("<HHII", 0x0001, SHORT, 1, 7) * (count - 1)
    make = struct.pack("<HHI4s", 0x010F, ASCII, 4, b"abc")
    raw = struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", count) + filler + make
    assert read_tags(raw).image.raw(0x010F) == b""
    assert count > MAX_ENTRIES


def test_values_that_claim_to_be_huge_or_lie_outside_are_left_out() -> None:
    for kind, count, offset in [(ASCII, 2**32 - 1, 8), (ASCII, 100, 2**32 - 1), (RATIONAL, 2**31, 8), (99, 4, 8)]:
        entry = struct.pack("<HHII", 0x010F, kind, count, offset)
        assert read_metadata(struct.pack("<2sHIH", b"II", 42, 8, 1) + entry + bytes(4)) == Metadata()


words = st.binary(max_size=12)
values = st.one_of(
    words.map(text),
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)), min_size=1, max_size=4).map(
        lambda pairs: rationals("<", *pairs)
    ),
    st.lists(st.integers(0, 65535), min_size=1, max_size=3).map(lambda numbers: shorts("<", *numbers)),
    st.tuples(st.integers(0, 200), st.integers(0, 2**32 - 1), words),
)
known_tags = [0x010F, 0x0110, 0x829A, 0x829D, 0x8827, 0x9003, 0x9004, 0x9011, 0x920A, 0x9291, 0xA405, 0xA432, 0xA434]
directories = st.dictionaries(st.sampled_from([*known_tags, *range(1, 8), 0x8769, 0x8825]), values)


def assert_valid(metadata: Metadata) -> None:
    document = json.loads(json.dumps(to_json(metadata), allow_nan=False))
    assert from_json(document) == metadata
    assert "\0" not in json.dumps(document, ensure_ascii=False)
    if metadata.taken_at is not None:
        assert POSTGRES_SAFE[0] <= metadata.taken_at <= POSTGRES_SAFE[1]
    assert (metadata.latitude is None) == (metadata.longitude is None)
    assert metadata.latitude is None or -90 <= metadata.latitude <= 90
    assert metadata.longitude is None or -180 <= metadata.longitude <= 180
    assert all(len(value) <= 255 for value in asdict(metadata).values() if isinstance(value, str))


headers = [b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"Exif\0\0II*\0\x08\0\0\0"]


@given(st.binary(max_size=400), st.sampled_from(headers))
def test_any_bytes_give_valid_metadata(tail: bytes, head: bytes) -> None:
    assert_valid(read_metadata(head + tail))


@given(directories, directories, directories)
def test_any_fields_give_valid_metadata(
    first: dict[int, Field], second: dict[int, Field], third: dict[int, Field]
) -> None:
    assert_valid(read_metadata(block("<", first, second, third)))


@given(st.data())
def test_any_truncation_and_any_flipped_byte_give_valid_metadata(data: st.DataObject) -> None:
    whole = block(
        camera={0x9003: text("2024:06:30 18:04:05"), 0x9011: text("+02:00"), 0x829A: rationals("<", (1, 250))},
        place={1: text("N"), 2: degrees("<", 38, 42, 4980), 3: text("W"), 4: degrees("<", 9, 8, 2100)},
    )
    cut = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    if cut:
        cut[data.draw(st.integers(0, len(cut) - 1))] = data.draw(st.integers(0, 255))
    assert_valid(read_metadata(bytes(cut)))


@given(
    st.datetimes(min_value=datetime(1800, 1, 1), max_value=datetime(2999, 12, 31)),  # noqa: DTZ001
    st.integers(-14 * 60, 14 * 60),
)
def test_times_round_trip(moment: datetime, minutes: int) -> None:
    offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    metadata = camera(
        DateTimeOriginal=text(moment.strftime("%Y:%m:%d %H:%M:%S")),
        SubsecTimeOriginal=text(f"{moment.microsecond:06}"),
        OffsetTimeOriginal=text(offset),
    )
    assert metadata.taken_at == moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert metadata.taken_at_offset == offset


@given(st.integers(0, 90 * 360_000), st.sampled_from("NS"), st.integers(0, 180 * 360_000), st.sampled_from("EW"))
def test_places_round_trip(latitude: int, north: str, longitude: int, east: str) -> None:
    def field(hundredths: int) -> Field:
        return degrees("<", hundredths // 360_000, hundredths // 6000 % 60, hundredths % 6000)

    found = place(north + east, latitude=field(latitude), longitude=field(longitude))
    if latitude == longitude == 0:
        assert (found.latitude, found.longitude) == (None, None)
        return
    assert found.latitude == float(Fraction(latitude, 360_000)) * (1 if north == "N" else -1)
    assert found.longitude == float(Fraction(longitude, 360_000)) * (1 if east == "E" else -1)


def test_json_that_is_not_ours_gives_what_can_be_read() -> None:
    odd = {"make": 7, "iso": True, "f_number": "2.8", "taken_at": "soon", "latitude": None, "extra": [1], "lens": "L"}
    assert from_json(odd) == Metadata(lens="L")
    assert from_json({"taken_at": "2024-01-01T00:00:00"}) == Metadata()
