"""What can be wrong between database and store, and what repairing it does. Pure."""

from enum import StrEnum

from attrs import frozen


class Kind(StrEnum):
    """One inconsistency each."""

    STRAY_UPLOAD = "stray_upload"
    STRAY_OBJECT = "stray_object"
    MISSING_ORIGINAL = "missing_original"
    MISSING_VARIANT = "missing_variant"
    WRONG_IMAGE_COUNT = "wrong_image_count"
    WRONG_STORAGE_USED = "wrong_storage_used"


class RepairOutcome(StrEnum):
    """What became of a finding. ``PASSED``: looked at once more just before the repair, there was nothing wrong with
    it any more, or somebody was at work on it."""

    FOUND = "found"
    REPAIRED = "repaired"
    PASSED = "passed"
    BEYOND_REPAIR = "beyond_repair"


REMEDIES = {
    Kind.STRAY_UPLOAD: "delete the object",
    Kind.STRAY_OBJECT: "delete the object",
    Kind.MISSING_ORIGINAL: "none: restore the object from a backup, or delete the image",
    Kind.MISSING_VARIANT: "drop the row, and make the variant anew if the original is there",
    Kind.WRONG_IMAGE_COUNT: "count again",
    Kind.WRONG_STORAGE_USED: "add up again",
}


@frozen
class Finding:
    """Something wrong with ``subject``: a key, a gallery's id or an owner's. ``detail`` is one clause for people."""

    kind: Kind
    subject: str
    detail: str
    outcome: RepairOutcome = RepairOutcome.FOUND

    @property
    def remedy(self) -> str:
        """What repairing it does."""
        return REMEDIES[self.kind]

    @property
    def remains(self) -> bool:
        """Whether it is still wrong."""
        return self.outcome in (RepairOutcome.FOUND, RepairOutcome.BEYOND_REPAIR)

    def to_json(self) -> dict[str, str]:
        """A JSON object of all of it."""
        return {
            "kind": self.kind.value,
            "subject": self.subject,
            "detail": self.detail,
            "remedy": self.remedy,
            "outcome": self.outcome.value,
        }

    def __str__(self) -> str:
        kind, outcome = self.kind.replace("_", " "), self.outcome.replace("_", " ")
        action = f"to repair: {self.remedy}" if self.outcome is RepairOutcome.FOUND else outcome
        return f"{kind} {self.subject}: {self.detail} ({action})"
