"""An operator reads what was done: a line of it for people, and for programs what the API says."""

from datetime import UTC, datetime
from uuid import UUID

from imagegallery.audit.entry import BY_OWNERSHIP, Act, Actor, ActorKind, AuditEntry, AuditRecord, Origin
from imagegallery.cli.commands.audit import _document, _line

ID = UUID("01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52")
KEPT = AuditRecord(
    ID,
    datetime(2026, 11, 30, 17, 5, 12, tzinfo=UTC),
    AuditEntry(Act.IMAGE_PURGED, Actor(ActorKind.USER, "ana"), BY_OWNERSHIP, "ana", image_id=ID),
    Origin("203.0.113.0/24", "r-1", "curl/8"),
)


def test_a_line_says_who_did_what_to_whose() -> None:
    assert _line(KEPT) == (
        f"2026-11-30 17:05:12 image.purged by user ana (owner) from 203.0.113.0/24: image {ID} of ana"
    )


def test_a_program_gets_the_fields_of_the_api() -> None:
    document = _document(KEPT)
    assert (document["actor"], document["image_id"], document["gallery_id"]) == (
        {"kind": "user", "id": "ana"},
        str(ID),
        None,
    )
