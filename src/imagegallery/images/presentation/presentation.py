"""From an image as stored to an image as shown to a principal. Pure except for the URLs' clock."""

from attrs import evolve

from imagegallery.access.audience import Audience
from imagegallery.access.decision import Facts, audience, is_public
from imagegallery.images.image.image import Image
from imagegallery.images.presentation.urls import ImageUrls
from imagegallery.principal import Principal


def show(
    image: Image, principal: Principal, delivery: ImageUrls, facts: Facts, *, position: int | None = None
) -> Image:
    """The image with URLs, and without its place unless the principal owns it.

    ``facts`` are of what contains it, at this ``position``. If that is public, variants have public URLs.
    """
    urls_expire_at, seen_as = None if is_public(facts) else delivery.expires_at(), audience(principal, facts)
    metadata, latitude, longitude = image.metadata, image.latitude, image.longitude
    if seen_as is not Audience.OWNER:
        metadata, latitude, longitude = metadata and metadata.without_place(), None, None
    return evolve(
        image,
        variants=tuple(each.at(delivery.variant_url(each, urls_expire_at)) for each in image.variants),
        urls_expire_at=urls_expire_at,
        metadata=metadata,
        latitude=latitude,
        longitude=longitude,
        audience=seen_as,
        position=position,
    )
