"""Files an owner has already, and images that look alike. Pure."""

from uuid import UUID

from attrs import frozen

from imagegallery.images.image.image import Image


@frozen
class KnownFile:
    """A file that the owner has, by its SHA-256: the image, and whether it is in the trash."""

    sha256: bytes
    image_id: UUID
    is_trashed: bool


@frozen
class AlikeId:
    """The id of a `Lookalike`."""

    image_id: UUID
    distance: int
    is_exact: bool


@frozen
class Lookalike:
    """An image that looks like another.

    Attributes:
        distance: The bits by which their pHashes differ, 0 to 7, however either picture is turned.
        is_exact: Whether both have the same bytes.
    """

    image: Image
    distance: int
    is_exact: bool


@frozen
class Lookalikes:
    """An image, and at most 10 earlier ones that look like it, the nearest first."""

    image: Image
    others: tuple[Lookalike, ...]
