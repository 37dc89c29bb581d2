"""`ImageFilter` in SQL, for every statement that lists images."""

from datetime import datetime

from imagegallery.images.library.filter import ImageFilter

FilterArguments = tuple[bool | None, bool | None, str | None, datetime | None, datetime | None, str | None]


def matches(first: int) -> str:
    """The condition that an image ``i`` fits a filter whose `arguments` are the six parameters from ``$first`` on."""
    favorite, archived, mime_type, since, until, status = (f"${number}" for number in range(first, first + 6))
    return f"""(
        ({favorite}::boolean IS NULL OR i.is_favorite = {favorite})
        AND ({archived}::boolean IS NULL OR i.is_archived = {archived})
        AND ({mime_type}::text IS NULL OR i.mime_type = {mime_type})
        AND ({since}::timestamptz IS NULL OR i.taken_at >= {since})
        AND ({until}::timestamptz IS NULL OR i.taken_at < {until})
        AND ({status}::text IS NULL OR i.processing_status = {status})
    )"""


def arguments(wanted: ImageFilter) -> FilterArguments:
    """What the parameters of `matches` stand for."""
    return (
        wanted.is_favorite,
        wanted.is_archived,
        wanted.mime_type,
        wanted.taken_from,
        wanted.taken_before,
        None if wanted.status is None else wanted.status.value,
    )
