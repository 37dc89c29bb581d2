"""Header parsing against the RFCs' rules, and never an exception whatever a client sends."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegallery.common.disposition import attachment
from imagegallery.storage.protocol import ByteRange
from imagegallery_asgi.framework import headers
from imagegallery_asgi.framework.headers import UNSATISFIABLE, Unsatisfiable

MOMENT = datetime(2026, 11, 21, 12, 30, 15, 250_000, tzinfo=UTC)
TAG = '"abc-1"'
anything = st.text(st.characters(codec="latin-1"), max_size=60)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=10-", ByteRange(10, 100)),
        ("bytes=90-200", ByteRange(90, 100)),
        ("bytes=-10", ByteRange(90, 100)),
        ("bytes=-1000", ByteRange(0, 100)),
        ("BYTES = 1-2", ByteRange(1, 3)),
        ("bytes=100-", UNSATISFIABLE),
        ("bytes=-0", UNSATISFIABLE),
        ("bytes=5-4", None),
        ("bytes=0-1,5-6", None),
        ("bytes=-", None),
        ("items=0-5", None),
        ("bytes=１-２", None),
        ("bytes=" + "9" * 5000 + "-", UNSATISFIABLE),
    ],
)
def test_ranges(header: str | None, expected: ByteRange | Unsatisfiable | None) -> None:
    assert headers.parse_range(header, 100) == expected


@given(header=anything | st.from_regex(r"bytes=\d*-\d*", fullmatch=True), size=st.integers(0, 10_000))
def test_a_range_is_never_empty_and_lies_in_the_object(header: str, size: int) -> None:
    found = headers.parse_range(header, size)
    if isinstance(found, ByteRange):
        assert 0 <= found.start < found.stop <= size


@given(size=st.integers(1, 1000), data=st.data())
def test_every_range_of_an_object_can_be_asked_for(size: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, size - 1))
    stop = data.draw(st.integers(start + 1, size))
    assert headers.parse_range(f"bytes={start}-{stop - 1}", size) == ByteRange(start, stop)


@pytest.mark.parametrize("header", [TAG, f"W/{TAG}", f'"x", {TAG}', "*", f' "y" ,W/{TAG} '])
def test_a_matching_tag_means_not_modified(header: str) -> None:
    assert headers.is_not_modified(header, None, etag=TAG, modified_at=MOMENT)


@pytest.mark.parametrize("header", ['"other"', "abc-1", "", "W/"])
def test_another_tag_means_modified_whatever_the_date_says(header: str) -> None:
    later = headers.http_date(MOMENT + timedelta(days=1))
    assert not headers.is_not_modified(header, later, etag=TAG, modified_at=MOMENT)


def test_dates_are_compared_in_whole_seconds() -> None:
    same = headers.http_date(MOMENT)
    assert same == "Sat, 21 Nov 2026 12:30:15 GMT"
    assert headers.is_not_modified(None, same, etag=TAG, modified_at=MOMENT)
    assert not headers.is_not_modified(
        None, headers.http_date(MOMENT - timedelta(seconds=1)), etag=TAG, modified_at=MOMENT
    )


@pytest.mark.parametrize(
    ("if_range", "applies"),
    [
        (None, True),
        (TAG, True),
        (f"W/{TAG}", False),
        ('"other"', False),
        ("Sat, 21 Nov 2026 12:30:15 GMT", True),
        ("Sat, 21 Nov 2026 12:30:16 GMT", False),
        ("nonsense", False),
    ],
)
def test_if_range(if_range: str | None, applies: bool) -> None:
    assert headers.range_applies(if_range, etag=TAG, modified_at=MOMENT) is applies


@given(anything)
def test_no_conditional_header_raises(header: str) -> None:
    headers.is_not_modified(header, header, etag=TAG, modified_at=MOMENT)
    headers.is_not_modified(None, header, etag=TAG, modified_at=MOMENT)
    headers.range_applies(header, etag=TAG, modified_at=MOMENT)


@pytest.mark.parametrize(
    ("accept", "formats"),
    [
        (None, ()),
        ("*/*", ("jpeg", "png", "gif", "webp", "avif")),
        ("image/*", ("jpeg", "png", "gif", "webp", "avif")),
        ("image/jpeg", ("jpeg",)),
        ("image/avif,image/webp,*/*;q=0.8", ("avif", "webp", "jpeg", "png", "gif")),
        ("image/avif;q=0.5, image/webp", ("webp", "avif")),
        ("image/avif;q=0, image/webp", ("webp",)),
        ("*/*, image/*;q=0.5, image/webp;q=0.7", ("webp", "jpeg", "png", "gif", "avif")),
        ("image/webp, image/*", ("webp", "jpeg", "png", "gif", "avif")),
        ("*/*;q=0.1, image/*;q=0", ()),
        ("image/png;level=1;q=0.2, image/jpeg ; q=0.3", ("jpeg", "png")),
        ("IMAGE/AVIF", ("avif",)),
        ("image/avif;q=nonsense", ()),
        ("text/html", ()),
        (",;,/,image/", ()),
    ],
)
def test_accepted_formats(accept: str | None, formats: tuple[str, ...]) -> None:
    assert headers.accepted_formats(accept) == formats


@given(anything)
def test_no_accept_raises(accept: str) -> None:
    assert set(headers.accepted_formats(accept)) <= set(headers.IMAGE_FORMATS)


@pytest.mark.parametrize(
    ("header", "filename"),
    [
        (None, None),
        ("attachment", None),
        ('attachment; filename="tram.jpg"', "tram.jpg"),
        ("attachment; filename=tram.jpg", "tram.jpg"),
        (r'attachment; filename="a \"b\" \\ c.jpg"', r'a "b" \ c.jpg'),
        ("attachment; filename=\"x.jpg\"; filename*=UTF-8''%e2%82%ac.jpg", "€.jpg"),
        ("attachment; filename*=iso-8859-1'en'%A3.jpg", "£.jpg"),
        ("attachment; filename=\"x.jpg\"; filename*=UTF-8''%ff", "x.jpg"),
        ("attachment; filename=\"x.jpg\"; filename*=KOI8-R''%c1", "x.jpg"),
        ("attachment; filename=\"x.jpg\"; filename*=UTF-8''a%zz.jpg", "x.jpg"),
        ("attachment; filename=\"x.jpg\"; filename*=UTF-8''", "x.jpg"),
        ('attachment ; filename = "a;b.jpg"', "a;b.jpg"),
        ("attachment; FileName* = UTF-8''a%20b.jpg ; filename=x.jpg", "a b.jpg"),
        ('attachment; filename=""', None),
        ('form-data; name="file"; filename="Ã¼.jpg"', "ü.jpg"),  # UTF-8 bytes, read as ISO-8859-1
    ],
)
def test_file_names(header: str | None, filename: str | None) -> None:
    assert headers.disposition_filename(header) == filename


@given(st.text(max_size=300))
def test_a_file_name_survives_content_disposition(filename: str) -> None:
    header = attachment(filename)
    assert header.isascii()
    assert header.isprintable()
    expected = filename.encode(errors="replace").decode()
    assert headers.disposition_filename(header) == (expected or None)


@given(anything)
def test_no_disposition_raises(header: str) -> None:
    headers.disposition_filename(header)
    headers.parameters(header)
    headers.media_type(header)


@pytest.mark.parametrize("sane", ["a", "01a1fbd4-67c3-71a0", "A.b_c-9"])
def test_a_harmless_request_id_is_kept(sane: str) -> None:
    assert headers.request_id(sane) == sane


@pytest.mark.parametrize("odd", [None, "", "a b", "a\n", "ü", "x" * 129, "<script>"])
def test_any_other_request_id_is_not(odd: str | None) -> None:
    assert headers.request_id(odd) is None
