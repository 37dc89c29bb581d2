"""The access decision in SQL, for lists and for lookups by a variant's key: which rows everybody may see.

What owners may see of their own is the column ``owner_id`` of every table.
"""

from typing import Final


def _open_gallery(gallery: str) -> str:
    return f"{gallery}.visibility <> 'private'"


# Of a gallery `g`.
OPEN_GALLERY: Final = _open_gallery("g")
LISTED_GALLERY: Final = "g.visibility = 'public'"

# Whether an event is for a user, ``$1``. `imagegallery.access.decision.members` adds those of a gallery.
HEARD_EVENT: Final = "owner_id = :user_id"


# Most origins that are read for one image, of all its galleries.
MAX_RULE_ORIGINS: Final = 1000


def pages_of_image(image: str) -> str:
    """The origins of the pages that may show this row of ``images``, which is open: those of all galleries that open
    it (`imagegallery.access.hotlinks`), at most `MAX_RULE_ORIGINS`. NULL is every page: by itself, or by a gallery
    without a rule.
    """
    return f"""(CASE WHEN {image}.visibility = 'private' THEN (
        SELECT CASE WHEN bool_and(g.allowed_origins IS NOT NULL) THEN ARRAY(
            SELECT DISTINCT origin FROM gallery_images m JOIN galleries r ON r.id = m.gallery_id
            CROSS JOIN unnest(r.allowed_origins) AS origin
            WHERE m.image_id = {image}.id AND {_open_gallery("r")}
            ORDER BY origin LIMIT {MAX_RULE_ORIGINS}
        ) END
        FROM gallery_images open JOIN galleries g ON g.id = open.gallery_id
        WHERE open.image_id = {image}.id AND {OPEN_GALLERY}
    ) END)"""


def open_image(image: str, *, without: str = "") -> str:
    """Whether everybody may see this row of ``images``: it is not in the trash, and open by itself or in a gallery,
    ignoring the one named ``without``.

    It is scalar, evaluated image by image: PostgreSQL may evaluate an EXISTS for all images at once.
    """
    others = f"AND open.gallery_id <> {without}" if without else ""
    return f"""({image}.deleted_at IS NULL AND ({image}.visibility <> 'private' OR (
        SELECT true FROM gallery_images open JOIN galleries g ON g.id = open.gallery_id
        WHERE open.image_id = {image}.id AND {OPEN_GALLERY} {others}
        LIMIT 1
    ) IS NOT NULL))"""
