"""`ImageFilter` in SQL, for every statement that lists images."""

from collections.abc import Mapping
from typing import Final

from attrs import asdict

from imagegallery.common.meta import Meta, is_scalar, written
from imagegallery.images.library.filter import ImageFilter


def meta_fits(row: str) -> str:
    """The condition that ``meta`` of this row fits, with parameters by `meta_arguments`."""
    return f"""(:meta_written::jsonb IS NULL OR NOT EXISTS (
            SELECT FROM jsonb_each_text(:meta_written) AS wanted
            WHERE {row}.meta ->> wanted.key IS DISTINCT FROM wanted.value
        ))
        AND (:meta_parts::jsonb IS NULL OR {row}.meta @> :meta_parts)"""


def tag_of(owner_id: str, key: str = ":tag") -> str:
    """The id of this owner's tag of this key."""
    return f"(SELECT tag.id FROM tags tag WHERE tag.owner_id = {owner_id} AND tag.key = {key})"


def has_tag(row: str) -> str:
    """The condition that an image has the wanted tag. Scalar, so that it is evaluated image by image."""
    return f"""(
            SELECT true FROM image_tags tagged
            WHERE tagged.image_id = {row}.id AND tagged.tag_id = {tag_of(f"{row}.owner_id")}
        )"""


def meta_hash(row: str, key: str) -> str:
    """What an index has of a key of ``meta``: a digest, as the value may be too long for one."""
    return f"hashtextextended({row}meta ->> '{key}', 0)"


FITS: Final = f"""(
        (:is_favorite::boolean IS NULL OR i.is_favorite = :is_favorite)
        AND (:is_archived::boolean IS NULL OR i.is_archived = :is_archived)
        AND (:mime_type::text IS NULL OR i.mime_type = :mime_type)
        AND (:taken_from::timestamptz IS NULL OR i.taken_at >= :taken_from)
        AND (:taken_before::timestamptz IS NULL OR i.taken_at < :taken_before)
        AND (:status::text IS NULL OR i.processing_status = :status)
        AND (:visibility::text IS NULL OR i.visibility = :visibility)
        AND (:ids::uuid[] IS NULL OR i.id = ANY(:ids))
        AND (:rating::int IS NULL OR i.rating = :rating)
        AND (:rating_from::int IS NULL OR i.rating >= :rating_from)
        AND (:tag::text IS NULL OR {has_tag("i")})
        AND {meta_fits("i")}
    )"""
"""The condition that an image ``i`` passes a filter, with parameters by `arguments`."""


def arguments(wanted: ImageFilter) -> Mapping[str, object]:
    """The values of the parameters of `FITS`."""
    given = asdict(wanted, recurse=False)
    meta = given.pop("meta")
    return {**given, **meta_arguments(meta)}


def meta_arguments(meta: Meta | None) -> Mapping[str, object]:
    """The values of the parameters of `meta_fits`."""
    wanted = meta or {}
    scalars = {key: written(value) for key, value in wanted.items() if is_scalar(value)}
    parts = {key: value for key, value in wanted.items() if not is_scalar(value)}
    return {"meta_written": scalars or None, "meta_parts": parts or None}
