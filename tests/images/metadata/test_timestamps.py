"""Times as they are written in files and in their names."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from tests.support.growth import check_linear

from imagegallery.images.metadata.timestamps import (
    offset_between,
    read_mail_timestamp,
    read_timestamp,
    timestamp_in_name,
)

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def local(*numbers: int) -> datetime:
    return datetime(*numbers)  # type: ignore[arg-type]  # noqa: DTZ001


@pytest.mark.parametrize(
    ("written", "moment", "offset"),
    [
        ("2012:06:05 14:03:59", local(2012, 6, 5, 14, 3, 59), None),
        ("2025-01-30T08:59:50+01:00", local(2025, 1, 30, 8, 59, 50), 60),
        ("2012-06-05T14:03:59.25Z", local(2012, 6, 5, 14, 3, 59, 250_000), 0),
        ("2012:06:05 14:03", local(2012, 6, 5, 14, 3), None),
        ("2012-06-05T14:03-0730", local(2012, 6, 5, 14, 3), -450),
        ("2012:06:05 02:03:59 PM", local(2012, 6, 5, 14, 3, 59), None),
        ("2012:06:05 12:03:59 am", local(2012, 6, 5, 0, 3, 59), None),
        ("2012/6/5 2:03 p.m.", local(2012, 6, 5, 14, 3), None),
        ("2024-04-22T14:38:09.526GMT+02:00", local(2024, 4, 22, 14, 38, 9, 526_000), 120),
        ("2024-04-22T14:38:09GMT+2", local(2024, 4, 22, 14, 38, 9), 120),
        ("20120605T140359+0100", local(2012, 6, 5, 14, 3, 59), 60),
        ("20120605 1403", local(2012, 6, 5, 14, 3), None),
        ("2012:06:05", local(2012, 6, 5), None),
        ("2012:06:05   :  :  ", local(2012, 6, 5), None),
        ("2012:06:05 14:03:59+15:00", local(2012, 6, 5, 14, 3, 59), None),
    ],
)
def test_written_times_are_read(written: str, moment: datetime, offset: int | None) -> None:
    read = read_timestamp(written)
    assert read is not None
    assert (read.local, read.offset) == (moment, None if offset is None else timedelta(minutes=offset))


@pytest.mark.parametrize(
    "written", ["", "    :  :     :  :  ", "2012-06", "2012:13:05 14:03:59", "1234567", "05.06.2012"]
)
def test_what_is_no_time_is_none(written: str) -> None:
    assert read_timestamp(written) is None


def test_a_time_by_rfc_2822() -> None:
    read = read_mail_timestamp("Tue, 5 Jun 2012 14:03:59 +0200")
    assert read is not None
    assert read.moment == datetime(2012, 6, 5, 12, 3, 59, tzinfo=UTC)
    assert [read_mail_timestamp(text) for text in ("yesterday", "5 Jun 1700 14:03:59", "5 Jun 2012 99:00")] == [
        None
    ] * 3


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("IMG_20240630_180405.jpg", local(2024, 6, 30, 18, 4, 5)),
        ("IMG20240630180405.jpg", local(2024, 6, 30, 18, 4, 5)),
        ("20240630_180405(1).jpg", local(2024, 6, 30, 18, 4, 5)),
        ("2024-06-30 18.04.05.png", local(2024, 6, 30, 18, 4, 5)),
        ("Screenshot 2024-06-30 at 6.04.05\u202fPM.png", local(2024, 6, 30, 18, 4, 5)),
        ("Screenshot_2024-06-30-18-04-05-123_com.app.jpg", local(2024, 6, 30, 18, 4, 5)),
        ("WhatsApp Image 2024-06-30 at 18.04.05.jpeg", local(2024, 6, 30, 18, 4, 5)),
        ("IMG-20240630-WA0001.jpg", local(2024, 6, 30)),
        ("1985-06-01 birthday.jpg", local(1985, 6, 1)),
    ],
)
def test_names_tell_the_time(name: str, moment: datetime) -> None:
    read = timestamp_in_name(name, NOW)
    assert read is not None
    assert (read.local, read.offset) == (moment, None)


def test_a_pixel_phone_names_by_utc() -> None:
    read = timestamp_in_name("PXL_20240630_160405123.jpg", NOW)
    assert read is not None
    assert (read.moment.replace(microsecond=0), read.offset) == (
        datetime(2024, 6, 30, 16, 4, 5, tzinfo=UTC),
        timedelta(0),
    )


@pytest.mark.parametrize(
    "name",
    ["DSC01234.jpg", "20260801_120000.jpg", "20240230.jpg", "123420240630.jpg", "18990101.jpg", "IMG_2024063.jpg", ""],
)
def test_other_numbers_in_names_are_no_times(name: str) -> None:
    assert timestamp_in_name(name, NOW) is None


@pytest.mark.parametrize(
    ("seconds", "minutes"),
    [(7200, 120), (7200 + 170, 120), (-12600 - 60, -210), (20_700, 345), (7200 + 400, None), (15 * 3600, None)],
)
def test_two_clocks_tell_the_offset_if_they_tell_the_same_moment(seconds: int, minutes: int | None) -> None:
    utc = local(2024, 6, 30, 12)
    found = offset_between(utc + timedelta(seconds=seconds), utc)
    assert found == (None if minutes is None else timedelta(minutes=minutes))


def test_a_time_without_offset_is_read_as_utc() -> None:
    read, there = read_timestamp("2012:06:05 14:03:59"), timedelta(hours=2)
    assert read is not None
    assert read.moment == datetime(2012, 6, 5, 14, 3, 59, tzinfo=UTC)
    assert read.at_offset(there).moment == datetime(2012, 6, 5, 14, 3, 59, tzinfo=timezone(there))


@pytest.mark.parametrize("prefix", ["", "2024:06:30 ", "2024-06-30 18:04:05.", "20240630T180405+", "IMG_20240630_1804"])
@pytest.mark.parametrize("read", [read_timestamp, read_mail_timestamp, lambda text: timestamp_in_name(text, NOW)])
def test_time_grows_with_the_text(read: Callable[[str], object], prefix: str) -> None:
    check_linear(
        read, prefix, repeated=["0", "20240630", "2024-", " ", ":", "-", ".", "a", "PM", " at ", "+", "\0", ","]
    )
