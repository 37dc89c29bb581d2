"""How an object is answered, decided from headers alone."""

from datetime import UTC, datetime

import attrs
import pytest
from starlette.datastructures import Headers

from imagegallery.storage.protocol import ByteRange
from imagegallery_asgi.framework.errors import RangeNotSatisfiable, StaleCondition
from imagegallery_asgi.framework.object_response import Representation, plan

IT = Representation("a.webp", "image/webp", 1000, '"tag"', datetime(2026, 11, 21, tzinfo=UTC), "public, max-age=1")


def test_the_whole() -> None:
    decided = plan("GET", Headers({}), IT)
    assert (decided.status, decided.byte_range, decided.has_body) == (200, None, True)
    assert decided.headers["Content-Length"] == "1000"
    assert decided.headers["ETag"] == '"tag"'
    assert "Content-Disposition" not in decided.headers


def test_a_range() -> None:
    decided = plan("GET", Headers({"range": "bytes=10-19"}), IT)
    assert (decided.status, decided.byte_range) == (206, ByteRange(10, 20))
    assert decided.headers["Content-Range"] == "bytes 10-19/1000"
    assert decided.headers["Content-Length"] == "10"


def test_head_has_the_headers_of_the_whole_and_no_body() -> None:
    decided = plan("HEAD", Headers({"range": "bytes=10-19"}), IT)
    assert (decided.status, decided.has_body) == (200, False)
    assert decided.headers["Content-Length"] == "1000"


def test_not_modified_comes_before_the_range() -> None:
    decided = plan("GET", Headers({"range": "bytes=5000-", "if-none-match": '"tag"'}), IT)
    assert (decided.status, decided.has_body) == (304, False)
    assert "Content-Length" not in decided.headers
    assert decided.headers["Cache-Control"] == "public, max-age=1"


def test_a_range_of_another_version_means_the_whole() -> None:
    assert plan("GET", Headers({"range": "bytes=5000-", "if-range": '"old"'}), IT).status == 200


def test_beyond_the_end() -> None:
    with pytest.raises(RangeNotSatisfiable):
        plan("GET", Headers({"range": "bytes=1000-"}), IT)


def test_a_download_is_an_attachment_of_its_name() -> None:
    decided = plan("GET", Headers({}), attrs.evolve(IT, download_as="tram é.jpg"))
    assert (
        decided.headers["Content-Disposition"]
        == "attachment; filename=\"tram _.jpg\"; filename*=UTF-8''tram%20%C3%A9.jpg"
    )


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        ([("if-match", '"tag"')], True),
        ([("if-match", '"old", "tag"')], True),
        ([("if-match", '"old"'), ("if-match", '"tag"')], True),
        ([("if-match", "*")], True),
        ([("if-match", 'W/"tag"')], False),
        ([("if-match", '"old"')], False),
        ([("if-match", '"tag", x')], False),
        ([("if-match", "")], False),
        ([("if-unmodified-since", "Thu, 01 Jan 1970 00:00:00 GMT")], False),
        ([("if-unmodified-since", "Fri, 01 Jan 2100 00:00:00 GMT")], True),
        ([("if-unmodified-since", "soon")], True),
        ([("if-match", '"tag"'), ("if-unmodified-since", "Thu, 01 Jan 1970 00:00:00 GMT")], True),
    ],
)
def test_conditions_hold_before_all_else(asked: list[tuple[str, str]], holds: bool) -> None:
    headers = Headers(raw=[(name.encode(), value.encode()) for name, value in asked])
    if holds:
        assert plan("GET", headers, IT).status == 200
    else:
        with pytest.raises(StaleCondition):
            plan("GET", headers, IT)


def test_several_lines_are_one_list() -> None:
    headers = Headers(raw=[(b"if-none-match", b'"old"'), (b"if-none-match", b'"tag"')])
    assert plan("GET", headers, IT).status == 304


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("bytes=0-9999999999999999999", ByteRange(0, 1000)),
        ("bytes=-9999999999999999999", ByteRange(0, 1000)),
        ("bytes=00000000000000000000990-", ByteRange(990, 1000)),
        ("bytes=,, 0-4 ,", ByteRange(0, 5)),
    ],
)
def test_ranges_of_any_length_and_empty_members(asked: str, found: ByteRange) -> None:
    assert plan("GET", Headers({"range": asked}), IT).byte_range == found


@pytest.mark.parametrize("asked", ["bytes=9999999999999999999-", "bytes=9999999999999999999-99999999999999999999"])
def test_a_range_of_19_digits_is_beyond_the_end(asked: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        plan("GET", Headers({"range": asked}), IT)
