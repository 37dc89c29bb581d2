"""The same decision in SQL, for lists and for what is asked by a variant's key: which rows may everybody see.

What an owner may see of their own is a column of its own in every table, ``owner_id``.
"""

from typing import Final

# Of a gallery `g`.
OPEN_GALLERY: Final = "g.visibility <> 'private'"
LISTED_GALLERY: Final = "g.visibility = 'public'"

# Whether an event is for a user, ``$1``: `imagegallery.access.decision.members` says who else hears of a gallery.
HEARD_EVENT: Final = "owner_id = $1"


def open_image(image_id: str, *, without: str = "") -> str:
    """Whether the image of this id is in a gallery that everybody may see, leaving the one named ``without`` aside.

    A scalar, which is asked for one image after another: an EXISTS, PostgreSQL may answer for all there are at once.
    """
    others = f"AND open.gallery_id <> {without}" if without else ""
    return f"""(
        SELECT true FROM gallery_images open JOIN galleries g ON g.id = open.gallery_id
        WHERE open.image_id = {image_id} AND {OPEN_GALLERY} {others}
        LIMIT 1
    ) IS NOT NULL"""
