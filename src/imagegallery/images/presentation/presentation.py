"""From an image as stored to an image as shown to somebody: pure but for the URLs' clock."""

from attrs import evolve

from imagegallery.access.audience import Audience
from imagegallery.access.decision import Facts, audience, is_public
from imagegallery.images.image.image import Image
from imagegallery.images.presentation.responsive import describe
from imagegallery.images.presentation.urls import ImageUrls
from imagegallery.principal import Principal


def show(image: Image, principal: Principal, delivery: ImageUrls, facts: Facts) -> Image:
    """The image with its URLs, and without its place unless the principal owns it.

    ``facts``: of what it is shown in. Where that is public, variants have their public URLs.
    """
    # Before the URLs: their end may move on in between, and what is told must not be later than it.
    public = is_public(facts)
    urls_expire_at = None if public else delivery.expires_at()
    variants = tuple(evolve(each, url=delivery.variant_url(each, public=public)) for each in image.variants)
    shown = evolve(
        image,
        variants=variants,
        urls_expire_at=urls_expire_at,
        responsive=describe(variants, width=image.width, height=image.height, blurhash=image.blurhash),
        audience=audience(principal, facts),
    )
    return shown if shown.audience is Audience.OWNER else without_place(shown)


def without_place(image: Image) -> Image:
    """The image as anybody but its owner may have it: not where it was taken."""
    metadata = image.metadata.without_place() if image.metadata else None
    return evolve(image, metadata=metadata, latitude=None, longitude=None)
