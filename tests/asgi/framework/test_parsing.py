"""Strict structuring: what is right comes through, and all that is wrong is told at once, each with its path."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegallery import ImageOrder, InvalidInput, Visibility
from imagegallery.common.unset import UNSET
from imagegallery.errors import MAX_FAULTS, Fault
from imagegallery_asgi.api.requests import (
    AddImages,
    CreateGallery,
    CreateUpload,
    FormFields,
    GalleryImagesQuery,
    UpdateGallery,
    UpdateImage,
)
from imagegallery_asgi.framework.parsing import MAX_PARAMETERS, parse_json, parse_pairs, split_query

ID = "01890c60-7a5c-7c2e-8d3f-0123456789ab"
REQUESTS = (AddImages, CreateGallery, CreateUpload, FormFields, UpdateGallery, UpdateImage)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
)


def faults_of(cls: type, value: object) -> dict[str, str]:
    faults: list[Fault] = []
    parsed = parse_json(cls, value, ("body",), faults)
    assert (parsed is None) == bool(faults)
    return {".".join(fault.path): fault.message for fault in faults}


def test_what_is_right_comes_through_with_its_types() -> None:
    faults: list[Fault] = []
    body = parse_json(UpdateGallery, {"visibility": "public", "cover_image_id": ID}, ("body",), faults)
    assert body == UpdateGallery(visibility=Visibility.PUBLIC, cover_image_id=UUID(ID))
    assert body is not None
    assert body.name is UNSET
    assert faults == []


def test_null_and_absent_are_different() -> None:
    assert parse_json(UpdateGallery, {"cover_image_id": None}, (), []) == UpdateGallery(cover_image_id=None)
    assert parse_json(UpdateGallery, {}, (), []) == UpdateGallery()
    assert faults_of(UpdateGallery, {"name": None}) == {"body.name": "must be a text"}


def test_every_fault_is_told_at_once() -> None:
    body = {"filename": 7, "size": -1, "sha256": "AB", "gallery_id": ID[:-1], "colour": "red"}
    assert faults_of(CreateUpload, body) == {
        "body.filename": "must be a text",
        "body.size": "must be 0 to 9,007,199,254,740,991",
        "body.sha256": "must be the 64 hexadecimal digits of a SHA-256",
        "body.gallery_id": "must be an id: a UUID with hyphens",
        "body.colour": "is not known",
    }


def test_a_fault_in_a_list_names_its_index() -> None:
    assert faults_of(AddImages, {"image_ids": [ID, 3, "x"]}).keys() == {"body.image_ids.1", "body.image_ids.2"}


@pytest.mark.parametrize("value", [None, 3, "text", [], [["name", "x"]]])
def test_only_an_object_is_an_object(value: object) -> None:
    assert faults_of(CreateGallery, value) == {"body": "must be an object"}


@pytest.mark.parametrize("size", [True, "5", 5.0, None, 2**53])
def test_an_integer_is_nothing_else(size: object) -> None:
    upload = {"filename": "a.jpg", "content_type": "image/jpeg", "size": size}
    assert faults_of(CreateUpload, upload).keys() == {"body.size"}


def test_lengths_and_characters() -> None:
    assert faults_of(CreateGallery, {"name": ""}) == {"body.name": "must have 1 to 255 characters"}
    assert faults_of(CreateGallery, {"name": "x" * 256}).keys() == {"body.name"}
    assert faults_of(CreateGallery, {"name": "a\0b"}) == {"body.name": "must be text without NUL characters"}
    assert faults_of(CreateGallery, {"name": "\U0001f304" * 255}) == {}
    assert faults_of(AddImages, {"image_ids": []}) == {"body.image_ids": "must have 1 to 1,000 entries"}


@given(value=json_values, cls=st.sampled_from(REQUESTS))
def test_any_json_value_is_structured_or_refused(value: object, cls: type) -> None:
    faults_of(cls, value)


@given(st.dictionaries(st.sampled_from(["name", "description", "visibility", "cover_image_id"]), json_values))
def test_any_values_of_known_fields_are_structured_or_refused(value: object) -> None:
    faults_of(UpdateGallery, value)


def query(*pairs: tuple[str, str]) -> tuple[GalleryImagesQuery | None, dict[str, str]]:
    faults: list[Fault] = []
    parsed = parse_pairs(GalleryImagesQuery, pairs, ("query",), faults)
    return parsed, {".".join(fault.path): fault.message for fault in faults}


def test_a_query_is_read_from_text() -> None:
    parsed, faults = query(("limit", "7"), ("order", "created_at"), ("cursor", "abc"))
    assert faults == {}
    assert parsed == GalleryImagesQuery(order=ImageOrder.CREATED_AT, cursor="abc", limit=7)


def test_every_fault_of_a_query_is_told() -> None:
    _, faults = query(
        ("limit", "101"), ("page", "one"), ("order", "size"), ("colour", "red"), ("cursor", "a"), ("cursor", "b")
    )
    assert faults == {
        "query.limit": "must be 1 to 100",
        "query.page": "must be an integer",
        "query.order": "must be one of position, created_at, taken_at, filename, random",
        "query.colour": "is not known",
        "query.cursor": "must be given only once",
    }


@pytest.mark.parametrize("number", ["", " 1", "1.0", "+1", "１", "0x1", "9" * 5000])
def test_a_number_in_a_query_is_plain_digits(number: str) -> None:
    assert query(("page", number))[1] == {"query.page": "must be an integer"}


def test_what_has_too_many_entries_is_refused_before_any_is_looked_at() -> None:
    assert faults_of(AddImages, {"image_ids": [0] * 1001}) == {"body.image_ids": "must have 1 to 1,000 entries"}
    unknown = {str(number): 0 for number in range(100)}
    assert faults_of(AddImages, unknown) == {"body": "has too many fields that are not known"}
    with pytest.raises(InvalidInput) as refused:
        split_query(b"&".join(b"a=1" for _ in range(MAX_PARAMETERS + 1)))
    assert [fault.path for fault in refused.value.faults] == [("query",)]
    assert len(split_query(b"&".join(b"a=1" for _ in range(MAX_PARAMETERS)))) == MAX_PARAMETERS


def test_no_more_faults_are_looked_for_or_told_than_help() -> None:
    faults = faults_of(AddImages, {"image_ids": [0] * 1000})
    assert list(faults) == [f"body.image_ids.{index}" for index in range(MAX_FAULTS)]
    many = [Fault(("body", str(index)), "is wrong") for index in range(1000)]
    assert InvalidInput("No.", many).faults == tuple(many[:MAX_FAULTS])
    long = "x" * 5000
    assert all(len(path) < 200 for path in faults_of(AddImages, {long: 1, "image_ids": [ID]}))
    _, repeated = query((long, "1"), (long, "2"))
    assert all(len(path) < 200 for path in repeated)
