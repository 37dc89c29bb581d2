"""How an object is answered, decided from headers alone."""

from datetime import UTC, datetime

import attrs
import pytest

from imagegallery import ByteRange
from imagegallery_asgi.errors import RangeNotSatisfiable
from imagegallery_asgi.serving import Representation, plan

IT = Representation("image/webp", 1000, '"tag"', datetime(2026, 11, 21, tzinfo=UTC), "public, max-age=1")


def test_the_whole() -> None:
    decided = plan("GET", {}, IT)
    assert (decided.status, decided.byte_range, decided.has_body) == (200, None, True)
    assert decided.headers["Content-Length"] == "1000"
    assert decided.headers["ETag"] == '"tag"'
    assert "Content-Disposition" not in decided.headers


def test_a_range() -> None:
    decided = plan("GET", {"range": "bytes=10-19"}, IT)
    assert (decided.status, decided.byte_range) == (206, ByteRange(10, 20))
    assert decided.headers["Content-Range"] == "bytes 10-19/1000"
    assert decided.headers["Content-Length"] == "10"


def test_head_has_the_headers_of_the_whole_and_no_body() -> None:
    decided = plan("HEAD", {"range": "bytes=10-19"}, IT)
    assert (decided.status, decided.has_body) == (200, False)
    assert decided.headers["Content-Length"] == "1000"


def test_not_modified_comes_before_the_range() -> None:
    decided = plan("GET", {"range": "bytes=5000-", "if-none-match": '"tag"'}, IT)
    assert (decided.status, decided.has_body) == (304, False)
    assert "Content-Length" not in decided.headers
    assert decided.headers["Cache-Control"] == "public, max-age=1"


def test_a_range_of_another_version_means_the_whole() -> None:
    assert plan("GET", {"range": "bytes=5000-", "if-range": '"old"'}, IT).status == 200


def test_beyond_the_end() -> None:
    with pytest.raises(RangeNotSatisfiable):
        plan("GET", {"range": "bytes=1000-"}, IT)


def test_a_download_is_an_attachment_of_its_name() -> None:
    decided = plan("GET", {}, attrs.evolve(IT, download_as="tram é.jpg"))
    assert (
        decided.headers["Content-Disposition"]
        == "attachment; filename=\"tram _.jpg\"; filename*=UTF-8''tram%20%C3%A9.jpg"
    )
