"""The access decision in SQL, for lists and for lookups by a variant's key: which rows everybody may see.

What owners may see of their own is the column ``owner_id`` of every table.
"""

from typing import Final

# Of a gallery `g`.
OPEN_GALLERY: Final = "g.visibility <> 'private'"
LISTED_GALLERY: Final = "g.visibility = 'public'"

# Whether an event is for a user, ``$1``. `imagegallery.access.decision.members` adds those of a gallery.
HEARD_EVENT: Final = "owner_id = :user_id"


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
