"""What tus headers say, and that nothing a client sends makes reading them fail in another way."""

import base64
import hashlib
from contextlib import suppress
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegallery.uploads.resumable.rules import UploadChecksum
from imagegallery_asgi.framework.errors import MalformedRequest
from imagegallery_asgi.resumable.tus_wire import (
    MAX_CONCAT,
    MAX_METADATA,
    parse_checksum,
    parse_creation,
    parse_length,
    parse_metadata,
    parse_offset,
)

KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=","), min_size=1, max_size=12)
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
HEADERS = st.text(st.characters(max_codepoint=255), max_size=60)


def written(pairs: dict[str, str]) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())


@given(st.dictionaries(KEYS, VALUES, min_size=1), VALUES, st.uuids())
def test_metadata_is_read_as_it_is_written(others: dict[str, str], name: str, gallery_id: UUID) -> None:
    raw = written({**others, "filename": name, "filetype": "image/png", "gallery_id": str(gallery_id)})
    found = parse_metadata(raw)
    assert found.raw == raw
    assert found.filename == name or not name
    assert (found.content_type, found.gallery_id) == ("image/png", gallery_id)


@given(HEADERS)
def test_any_metadata_is_read_or_refused(raw: str) -> None:
    with suppress(MalformedRequest):
        assert parse_metadata(raw).raw == raw


@given(HEADERS, HEADERS, HEADERS, HEADERS)
def test_any_creation_is_read_or_refused(length: str, defer: str, concat: str, checksum: str) -> None:
    for headers in (
        {"Upload-Length": length},
        {"Upload-Defer-Length": defer},
        {"Upload-Concat": concat},
        {"Upload-Length": length, "Upload-Concat": f"final;{concat}"},
    ):
        try:
            asked = parse_creation(headers)
        except MalformedRequest:
            continue
        assert asked.length is None or asked.length >= 0
    with suppress(MalformedRequest):
        parse_checksum(checksum)


@given(st.integers(0, 10**18 - 1))
def test_a_count_is_a_number_of_bytes(count: int) -> None:
    headers = {"Upload-Offset": str(count), "Upload-Length": f" {count} "}
    assert (parse_offset(headers), parse_length(headers)) == (count, count)


def test_a_final_upload_names_its_parts_in_order() -> None:
    ids = [uuid4(), uuid4(), uuid4()]
    urls = [f"/api/v1/uploads/{ids[0]}/resumable/", f"https://a.example/x/uploads/resumable/{ids[1]}?q#f"]
    asked = parse_creation({"Upload-Concat": f"final; {urls[0]}  {urls[1]} {urls[0]}"})
    assert asked.parts == (ids[0], ids[1], ids[0])
    assert parse_creation({"Upload-Concat": "partial", "Upload-Length": "1"}).is_partial


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_checksum_is_its_algorithm_and_digest(algorithm: str) -> None:
    digest = hashlib.new(algorithm, b"x").digest()
    header = f"{algorithm} {base64.b64encode(digest).decode()}"
    assert parse_checksum(header) == (UploadChecksum(algorithm, digest),)


def test_metadata_has_an_end() -> None:
    longest = (
        "note " + base64.b64encode(b"x" * (MAX_METADATA * 3 // 4)).decode()[: MAX_METADATA - 5 - (MAX_METADATA - 5) % 4]
    )
    longest = longest.ljust(MAX_METADATA)
    assert len(longest) == MAX_METADATA
    assert parse_metadata(longest).raw == longest
    with pytest.raises(MalformedRequest, match="4,096 bytes"):
        parse_metadata(longest + " ")


def test_the_parts_of_a_final_upload_have_an_end() -> None:
    url = f"/uploads/{uuid4()}/resumable"
    longest = f"final; {url}".ljust(MAX_CONCAT)
    assert parse_creation({"Upload-Concat": longest}).parts is not None
    with pytest.raises(MalformedRequest, match="16,384 bytes"):
        parse_creation({"Upload-Concat": longest + " "})
