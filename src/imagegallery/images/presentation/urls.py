"""URLs of images: computed, never looked up; and images as they are shown, with them.

A public variant has one stable URL, so that browsers and CDNs may keep it forever. Others get a signed URL that
expires. Its expiry moves in steps, so that the same URL is returned for a while and a browser's cache works.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import quote
from uuid import UUID

import anyio.to_thread
from attrs import evolve

from imagegallery.access.audience import Audience
from imagegallery.access.decision import Facts, audience, is_public
from imagegallery.access.disclosure import MetaOptions, disclosure
from imagegallery.access.options import SharingOptions
from imagegallery.clock import EPOCH, Clock
from imagegallery.delivery.options import DeliveryOptions
from imagegallery.delivery.protocol import ObjectUrls
from imagegallery.errors import ConfigurationError
from imagegallery.images.image.image import Image, Variant
from imagegallery.images.presentation.disclosed import disclosed
from imagegallery.principal import Principal
from imagegallery.storage.keys import content_type_of
from imagegallery.storage.protocol import ReadMethod

PUBLIC_FILES = "/files"
_SHORTEST_TTL = timedelta(seconds=2)
P = TypeVar("P")


class ImageUrls:
    """The URLs of images: public ones for what everybody may see, otherwise ``private`` ones.

    URLs are absolute; without a ``base_url`` those of this service begin with ``/`` and are relative to the API's
    prefix. ``meta`` says what is shown with them. Those that somebody gets by a share live no longer than ``sharing``
    says. Raises `ConfigurationError` for a lifetime under two seconds.
    """

    def __init__(
        self,
        private: ObjectUrls,
        options: DeliveryOptions,
        clock: Clock,
        meta: MetaOptions | None = None,
        sharing: SharingOptions | None = None,
    ) -> None:
        if options.private_url_ttl < _SHORTEST_TTL:
            raise ConfigurationError("private_url_ttl must be at least 2 seconds.")
        self._public = options.cdn_url or f"{options.base_url or ''}{PUBLIC_FILES}"
        self._private = private
        self._ttl = options.private_url_ttl
        self._shared_ttl = min(self._ttl, (sharing or SharingOptions()).url_ttl)
        self._galleries = options.cloudfront.galleries_url or options.base_url or ""
        self._clock = clock
        self.meta = meta or MetaOptions()

    def variant_url(self, variant: Variant, expires_at: datetime | None, *, method: ReadMethod = "GET") -> str:
        """A URL signed for this ``method`` until ``expires_at``, or without it the stable public one. The caller
        checks access."""
        if expires_at is None:
            return self.public_url(variant.key)
        content_type = content_type_of(variant.key)
        return self._private.url_of(variant.key, content_type=content_type, expires_at=expires_at, method=method)

    def public_url(self, key: str) -> str:
        """The stable URL of a variant's key."""
        return f"{self._public}/{quote(key)}"

    def in_gallery(self, image: Image, gallery_id: UUID) -> Image:
        """The image with the addresses that the gallery's cookies open, which do not end."""
        folder = f"{self._galleries}{gallery_folder(gallery_id)}"
        variants = tuple(each.at(f"{folder}{quote(each.key)}") for each in image.variants)
        return evolve(image, variants=variants, urls_expire_at=None)

    def download_url(
        self,
        key: str,
        expires_at: datetime,
        *,
        content_type: str,
        download_as: str | None = None,
        method: ReadMethod = "GET",
    ) -> str:
        """The signed URL of an original, a copy of one or a variant; with ``download_as``, of an attachment. The caller
        checks access."""
        return self._private.url_of(
            key, content_type=content_type, expires_at=expires_at, download_as=download_as, method=method
        )

    async def of_many(self, show: Callable[[], P]) -> P:
        """Call ``show``, which uses the methods above for many images: in a thread if signing takes long."""
        return await anyio.to_thread.run_sync(show) if self._private.is_costly else show()

    def expires_at(self) -> datetime:
        """The expiry of an owner's private URL made now."""
        return stepped_expiry(self._clock(), self._ttl)

    def expires_at_for(self, principal: Principal, facts: Facts) -> datetime:
        """The expiry of a private URL made now for the principal, who may see the thing."""
        if audience(principal, facts) is Audience.SHARED:
            return stepped_expiry(self._clock(), self._shared_ttl)
        return self.expires_at()


def gallery_folder(gallery_id: UUID) -> str:
    """The path below the API's root where a gallery's own files are."""
    return f"/galleries/{gallery_id}/files/"


def stepped_expiry(now: datetime, ttl: timedelta) -> datetime:
    """The last whole half ``ttl`` (counted from 1970) that is at most ``ttl`` away, and so more than half of it."""
    step = ttl / 2
    return EPOCH + (now + ttl - EPOCH) // step * step


def show(
    image: Image, principal: Principal, delivery: ImageUrls, facts: Facts, *, position: int | None = None
) -> Image:
    """The image with URLs, and without what the principal is not shown of it.

    ``facts`` are of what contains it, at this ``position``. If that is public, variants have public URLs.
    """
    urls_expire_at = None if is_public(facts) else delivery.expires_at_for(principal, facts)
    shown = disclosure(principal, facts)
    return evolve(
        disclosed(image, shown),
        variants=tuple(each.at(delivery.variant_url(each, urls_expire_at)) for each in image.variants),
        urls_expire_at=urls_expire_at,
        audience=shown.audience,
        disclosure=shown,
        added_by=image.added_by if shown.is_owners else None,
        meta=delivery.meta.shown(image.meta, shown),
        position=position,
    )
