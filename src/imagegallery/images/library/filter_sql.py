"""`ImageFilter` in SQL, for every statement that lists images."""

from collections.abc import Mapping
from typing import Final

from attrs import asdict

from imagegallery.images.library.filter import ImageFilter

FITS: Final = """(
        (:is_favorite::boolean IS NULL OR i.is_favorite = :is_favorite)
        AND (:is_archived::boolean IS NULL OR i.is_archived = :is_archived)
        AND (:mime_type::text IS NULL OR i.mime_type = :mime_type)
        AND (:taken_from::timestamptz IS NULL OR i.taken_at >= :taken_from)
        AND (:taken_before::timestamptz IS NULL OR i.taken_at < :taken_before)
        AND (:status::text IS NULL OR i.processing_status = :status)
        AND (:visibility::text IS NULL OR i.visibility = :visibility)
    )"""
"""The condition that an image ``i`` passes a filter, with parameters by `arguments`."""


def arguments(wanted: ImageFilter) -> Mapping[str, object]:
    """The values of the parameters of `FITS`."""
    return asdict(wanted, recurse=False)
