"""What is answered to requests that are wrong in one way each: words and path of every fault stay as they are."""

import pytest

from imagegallery.errors import Fault
from imagegallery_asgi.api.requests import (
    AddImages,
    AddQuery,
    BatchImages,
    CheckFiles,
    CompleteUpload,
    CreateGallery,
    CreateUpload,
    CreateWebhook,
    DismissPair,
    EventsQuery,
    FormFields,
    GalleriesQuery,
    GalleryImagesQuery,
    LibraryQuery,
    MoveImages,
    ResumableQuery,
    SignParts,
    TimelineQuery,
    UpdateGallery,
    UpdateImage,
    ViewQuery,
)
from imagegallery_asgi.framework.parsing import parse_json, parse_pairs
from imagegallery_asgi.uppy.wire import UppyBatchQuery, UppyFile, UppyParams, UppyParts

ID = "01890c60-7a5c-7c2e-8d3f-0123456789ab"
TEXT, WHOLE, LIST, OBJECT, TRUTH = (
    f"must be {each}" for each in ("a text", "an integer", "a list", "an object", "true or false")
)
NO_ID = "must be an id: a UUID with hyphens"
NO_TIME = "must be a time with its zone, such as 2024-06-01T12:00:00Z"
NO_DIGEST = "must be the 64 hexadecimal digits of a SHA-256"
NO_VISIBILITY = "must be one of public, unlisted, private"
UNKNOWN, REQUIRED, ONCE = "is not known", "is required", "must be given only once"
FILE: dict[str, object] = {"filename": "tram.jpg", "size": 1}

EMPTY: tuple[object, ...] = ([], {})
BODIES: list[tuple[type, object, dict[str, str]]] = [
    *((CreateGallery, value, {"": OBJECT}) for value in (None, True, 0, 1.5, "{}", [], [["name", "x"]])),
    (CreateGallery, {}, {"name": REQUIRED}),
    (CreateGallery, {"Name": "x"}, {"Name": UNKNOWN, "name": REQUIRED}),
    (CreateGallery, {"name": "x", "z": 1, "a": None, "": []}, {"": UNKNOWN, "a": UNKNOWN, "z": UNKNOWN}),
    (CreateGallery, {"name": "x", "n" * 300: 1}, {"n" * 100: UNKNOWN}),
    *((CreateGallery, {"name": value}, {"name": TEXT}) for value in (None, True, 7, 0.5, *EMPTY, ["x"])),
    *((CreateGallery, {"name": value}, {"name": "must have 1 to 255 characters"}) for value in ("", "x" * 256)),
    (CreateGallery, {"name": "a\0"}, {"name": "must be text without NUL characters"}),
    (CreateGallery, {"name": "", "description": 0}, {"name": "must have 1 to 255 characters", "description": TEXT}),
    *(
        (CreateGallery, {"name": "x", "visibility": value}, {"visibility": NO_VISIBILITY})
        for value in ("", "Public", 0, ["public"], {"public": 1})
    ),
    (UpdateGallery, {"name": None, "cover_image_id": 7}, {"name": TEXT, "cover_image_id": NO_ID}),
    *(
        (UpdateGallery, {"cover_image_id": value}, {"cover_image_id": NO_ID})
        for value in ("", "null", ID.replace("-", ""), f"{{{ID}}}", f"urn:uuid:{ID}", ID[1:], f"{ID}\n", *EMPTY)
    ),
    (UpdateGallery, {"visibility": "UNSET", "description": "unset\0"}, {
        "visibility": NO_VISIBILITY, "description": "must be text without NUL characters"}),
    *((UpdateImage, {"is_favorite": value}, {"is_favorite": TRUTH}) for value in (None, "true", 0, 1, *EMPTY)),
    (UpdateImage, {"filename": "", "alt_text": None}, {"filename": "must have 1 to 255 characters", "alt_text": TEXT}),
    *((AddImages, {"image_ids": value}, {"image_ids": LIST}) for value in (None, ID, {"0": ID}, 3, True)),
    (AddImages, {"image_ids": []}, {"image_ids": "must have 1 to 1,000 entries"}),
    (AddImages, {"image_ids": [0] * 1001}, {"image_ids": "must have 1 to 1,000 entries"}),
    (AddImages, {"image_ids": [ID, None, [ID], ID[1:]]}, {f"image_ids.{index}": NO_ID for index in (1, 2, 3)}),
    (AddImages, {"image_ids": [0], "more": 1}, {"image_ids.0": NO_ID, "more": UNKNOWN}),
    (AddImages, {str(number): 0 for number in range(100)}, {"": "has too many fields that are not known"}),
    (DismissPair, {"image_ids": [ID]}, {"image_ids": "must have 2 to 2 entries"}),
    (MoveImages, {"image_ids": [ID], "before": "x", "after": 0}, {"before": NO_ID, "after": NO_ID}),
    (MoveImages, {"before": None}, {"image_ids": REQUIRED}),
    (BatchImages, {"ids": [ID], "action": "burn", "gallery_id": 0}, {
        "action": "must be one of favorite, unfavorite, archive, unarchive, trash, restore, delete, add_to_gallery, "
        "remove_from_gallery, add_tags, remove_tags, rate", "gallery_id": NO_ID}),
    (CheckFiles, {"sha256": ["a" * 63, "a" * 64, "g" * 64, 1]}, {
        "sha256.0": NO_DIGEST, "sha256.2": NO_DIGEST, "sha256.3": TEXT}),
    (CheckFiles, {"sha256": "a" * 64}, {"sha256": LIST}),
    *((CreateUpload, {**FILE, "size": value}, {"size": WHOLE}) for value in (True, "5", 5.0, None, *EMPTY)),
    *((CreateUpload, {**FILE, "size": value}, {"size": "must be 0 to 9,007,199,254,740,991"}) for value in (-1, 2**53)),
    (CreateUpload, {**FILE, "filename": "x" * 1025, "content_type": "x" * 256}, {
        "filename": "must have 0 to 1,024 characters", "content_type": "must have 0 to 255 characters"}),
    (CreateUpload, {**FILE, "sha256": "a" * 64 + "\n", "gallery_id": "Null", "on_duplicate": "ask"}, {
        "sha256": NO_DIGEST, "gallery_id": NO_ID, "on_duplicate": "must be one of keep_both, reject, return_existing"}),
    (SignParts, {"numbers": [0, 1, 10_001, "2", True]}, {
        "numbers.0": "must be 1 to 10,000", "numbers.2": "must be 1 to 10,000", "numbers.3": WHOLE,
        "numbers.4": WHOLE}),
    (CompleteUpload, {"parts": [{"number": 1, "etag": 2}, {}, 3, {"number": 1, "ETag": ""}]}, {
        "parts.0.etag": TEXT, "parts.1.number": REQUIRED, "parts.2": OBJECT, "parts.3.ETag": UNKNOWN}),
    (CompleteUpload, {"parts": {}}, {"parts": LIST}),
    (CreateWebhook, {"url": "", "event_types": ["image.ready", "image", 3]}, {
        "url": "must have 1 to 2,000 characters", "event_types.1": "must be a type of event", "event_types.2": TEXT}),
    (UppyFile, {"filename": "a", "metadata": {"size": -1, "gallery_id": 3, "any": [1]}}, {
        "metadata.size": "must be 0 to 9,007,199,254,740,991", "metadata.gallery_id": NO_ID}),
    (UppyFile, {"filename": "a", "metadata": []}, {"metadata": OBJECT}),
    (UppyParts, {"parts": [{"PartNumber": 1, "ETag": ""}, {"PartNumber": 0}]}, {
        "parts.0.ETag": "must have 1 to 255 characters", "parts.1.PartNumber": "must be 1 to 10,000",
        "parts.1.ETag": REQUIRED}),
]  # fmt: skip

QUERIES: list[tuple[type, str, dict[str, str]]] = [
    *((LibraryQuery, f"limit={value}", {"limit": WHOLE}) for value in ("", "1.0", "+1", "１", "0x1", "9" * 19, "1 ")),
    *((LibraryQuery, f"limit={value}", {"limit": "must be 1 to 100"}) for value in ("0", "101", "-1", "9" * 18)),
    (LibraryQuery, "limit=1&limit=1&colour=red", {"limit": ONCE, "colour": UNKNOWN}),
    *((LibraryQuery, f"trashed={value}", {"trashed": TRUTH}) for value in ("", "1", "True", "yes", "null")),
    *(
        (LibraryQuery, f"taken_from={value}", {"taken_from": NO_TIME})
        for value in (
            "", "null", "2024-06-01", "2024-06-01T12:00:00", "2024-06-01 12:00:00Z", "1717243200", "2024-06-01T12:00Z",
            "2024-02-30T12:00:00Z", "0001-01-01T00:00:00+01:00", "2024-06-01T12:00:00.1234567890Z",
        )
    ),
    (LibraryQuery, "status=done&order=size&mime_type=IMAGE/JPEG", {
        "status": "must be one of pending, processing, complete, failed",
        "order": "must be one of created_at, taken_at",
        "mime_type": "must be a media type such as image/jpeg"}),
    (GalleryImagesQuery, "seed=-1&page=0&is_favorite=maybe", {
        "seed": "must be 0 to 9,007,199,254,740,991", "page": "must be 1 to 1,000,000", "is_favorite": TRUTH}),
    (GalleriesQuery, "view=all", {"view": "must be one of own, public"}),
    (TimelineQuery, "is_archived=TRUE", {"is_archived": TRUTH}),
    (ResumableQuery, "gallery_id=none", {"gallery_id": NO_ID}),
    (ViewQuery, "variant=A&format=", {
        "variant": "must be a name of lower-case letters, digits, - and _",
        "format": "must be a name of lower-case letters, digits, - and _"}),
    (AddQuery, "on_duplicate=", {"on_duplicate": "must be one of keep_both, reject, return_existing"}),
    (EventsQuery, "after=1a", {"after": "must be the id of an event"}),
    (FormFields, "alt_text=a%00b", {"alt_text": "must be text without NUL characters"}),
    (UppyParams, "size=x", {"filename": REQUIRED, "size": WHOLE}),
    (UppyBatchQuery, "partNumbers=1,,2", {"key": REQUIRED, "partNumbers": "must be numbers of parts, such as 1,2,3"}),
]  # fmt: skip


def told(faults: list[Fault]) -> dict[str, str]:
    return {".".join(fault.path[1:]): fault.message for fault in faults}


@pytest.mark.parametrize(("kind", "value", "expected"), BODIES)
def test_a_bad_body(kind: type, value: object, expected: dict[str, str]) -> None:
    faults: list[Fault] = []
    assert parse_json(kind, value, ("body",), faults) is None
    assert told(faults) == expected
    assert all(fault.path[0] == "body" for fault in faults)


@pytest.mark.parametrize(("kind", "text", "expected"), QUERIES)
def test_a_bad_query(kind: type, text: str, expected: dict[str, str]) -> None:
    faults: list[Fault] = []
    pairs = [(name, value.replace("%00", "\0")) for name, _, value in (each.partition("=") for each in text.split("&"))]
    parse_pairs(kind, pairs, ("query",), faults)
    assert told(faults) == expected
