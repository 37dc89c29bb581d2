"""The JSON form of events, which other programs read."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from imagegallery.contributions.events import GuestApproved, GuestRejected, GuestUploaded, GuestWithdrew
from imagegallery.errors import InvalidInput
from imagegallery.events.event import DomainEvent, Event, data_of, parse_event_id, read_data
from imagegallery.gallery import EVENT_TYPES
from imagegallery.images.events import (
    GalleryChanged,
    ImageDeleted,
    ImageFailed,
    ImagePurged,
    ImageReady,
    ImageRestored,
    ImageUpdated,
    ImageUploaded,
    UrlsClosed,
)
from imagegallery.privacy.events import ErasureCancelled, ErasureRequested, ExportReady, OwnerErased
from imagegallery.sharing.events import ShareChanged, ShareCreated, ShareJoined, ShareLeft, ShareRevoked
from imagegallery.variants.events import VariantReady

IMAGE = UUID("01940000-0000-7000-8000-000000000001")
GALLERY = UUID("01940000-0000-7000-8000-000000000002")

EVERY_EVENT: list[DomainEvent] = [
    ImageUploaded("ana", IMAGE, GALLERY),
    ImageUploaded("ana", IMAGE),
    VariantReady("ana", IMAGE, "medium", "webp"),
    ImageReady("ana", IMAGE),
    ImageFailed("ana", IMAGE, "truncated", "The file ends early."),
    ImageUpdated("ana", IMAGE, ("title", "tags"), gallery_ids=(GALLERY,)),
    ImageDeleted("ana", IMAGE),
    ImageRestored("ana", IMAGE, gallery_ids=(GALLERY,), meta={"sku": ["A-1", 1.5, None]}),
    ImagePurged("ana", IMAGE, meta={"sku": "A-1"}),
    GuestUploaded("ana", IMAGE, "guest:01940000-0000-7000-8000-000000000009", "Inês", IMAGE, GALLERY, is_pending=False),
    GuestUploaded("ana", IMAGE, "user:ben", "ben"),
    GuestApproved("ana", IMAGE, "user:ben", "ben", IMAGE, GALLERY),
    GuestRejected("ana", IMAGE, "user:ben", "ben", IMAGE),
    GuestWithdrew("ana", IMAGE, "user:ben", "ben"),
    GalleryChanged("ana", GALLERY, "images", {"shop": {"name": "Ana"}}),
    UrlsClosed("ana", ("https://cdn.example/a.webp", "https://cdn.example/b.avif")),
    ShareCreated("ana", IMAGE),
    ShareChanged("ana", IMAGE),
    ShareJoined("ana", IMAGE, "ben"),
    ShareLeft("ana", IMAGE, "ben"),
    ShareRevoked("ana", IMAGE),
    ExportReady("ana", IMAGE, "2026-06-08T12:30:00Z"),
    ErasureRequested("ana", IMAGE, "2026-06-15T12:30:00Z"),
    ErasureCancelled("ana", IMAGE),
    OwnerErased("ana", IMAGE),
]


def test_the_form_is_stable() -> None:
    event = Event("42", datetime(2026, 1, 2, 3, 4, 5, 678901, UTC), VariantReady("ana", IMAGE, "medium", "webp"))
    assert event.to_json() == (
        '{"id":"42","type":"variant.ready","timestamp":"2026-01-02T03:04:05.678901+00:00",'
        '"data":{"owner_id":"ana","image_id":"01940000-0000-7000-8000-000000000001",'
        '"variant_type":"medium","format":"webp"}}'
    )


def test_the_types_are_stable() -> None:
    about_images = {
        f"image.{each}" for each in ("uploaded", "ready", "failed", "updated", "deleted", "restored", "purged")
    }
    assert (
        set(EVENT_TYPES)
        == {event.type for event in EVERY_EVENT}
        == about_images
        | {
            "variant.ready",
            "gallery.changed",
            "urls.closed",
            "guest.uploaded",
            "guest.approved",
            "guest.rejected",
            "guest.withdrew",
            *(f"share.{each}" for each in ("created", "changed", "joined", "left", "revoked")),
            "export.ready",
            "erasure.requested",
            "erasure.cancelled",
            "owner.erased",
        }
    )


@pytest.mark.parametrize("event", EVERY_EVENT, ids=lambda event: event.type)
def test_what_is_written_is_read(event: DomainEvent) -> None:
    assert read_data(EVENT_TYPES, event.type, json.loads(json.dumps(data_of(event)))) == event


def test_fields_and_types_of_a_newer_release_are_passed_over() -> None:
    data = {**data_of(ImageReady("ana", IMAGE)), "colour": "red"}
    assert read_data(EVENT_TYPES, "image.ready", data) == ImageReady("ana", IMAGE)
    assert read_data(EVENT_TYPES, "image.painted", data) is None


@pytest.mark.parametrize("text", ["", "-1", "1.5", "x", "1 ", "٣", "9" * 30])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_event_id(text)
