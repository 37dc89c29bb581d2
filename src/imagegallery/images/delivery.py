"""URLs of objects: computed, never looked up.

A public variant has one stable URL, so that browsers and CDNs may keep it for ever. Anything else gets a
signed URL that ends; its end moves in steps, so that the same URL is handed out for a while and a browser's
cache can work.
"""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from attrs import field, frozen

from imagegallery.clock import Clock
from imagegallery.errors import ConfigurationError
from imagegallery.images.image import Image, Variant
from imagegallery.storage.keys import content_type_of
from imagegallery.storage.protocol import DEFAULT_DOWNLOAD_TTL, ObjectStore, SignsDownloads

PUBLIC_FILES = "/files/"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHORTEST_TTL = timedelta(seconds=2)


def _without_slash(url: str | None) -> str | None:
    return url.rstrip("/") if url else None


@frozen
class DeliveryOptions:
    """``cdn_url`` is the base under which a CDN serves our public ``/files/`` (``None``: we serve them).

    A private URL works for at most ``private_url_ttl``, and for at least half of it.
    """

    cdn_url: str | None = field(default=None, converter=_without_slash)
    private_url_ttl: timedelta = DEFAULT_DOWNLOAD_TTL


class Delivery:
    """Where clients fetch objects. No I/O.

    URLs are absolute, or begin with ``/`` and are relative to the API's prefix. Raises `ConfigurationError`
    when the store cannot sign downloads or the lifetime is under two seconds.
    """

    def __init__(self, store: ObjectStore, options: DeliveryOptions, clock: Clock) -> None:
        if not isinstance(store, SignsDownloads):
            raise ConfigurationError("This object store cannot sign downloads, which private galleries need.")
        if options.private_url_ttl < _SHORTEST_TTL:
            raise ConfigurationError("private_url_ttl must be at least 2 seconds.")
        self._signer = store
        self._options = options
        self._clock = clock

    def variant_url(self, variant: Variant, *, public: bool) -> str:
        """Stable if ``public``, which the caller has checked; else signed and short-lived."""
        if public:
            path = quote(variant.key)
            return f"{self._options.cdn_url}/{path}" if self._options.cdn_url else PUBLIC_FILES + path
        return self._signer.sign_download(
            variant.key, content_type=content_type_of(variant.key), expires_at=self._expires_at()
        )

    def original_url(self, image: Image, *, download_as: str | None = None) -> str:
        """The original, signed: for its owner only. With ``download_as`` it arrives as that file."""
        return self._signer.sign_download(
            image.original_key,
            content_type=image.mime_type,
            expires_at=self._expires_at(),
            download_as=download_as,
        )

    def _expires_at(self) -> datetime:
        return stepped_expiry(self._clock(), self._options.private_url_ttl)


def stepped_expiry(now: datetime, ttl: timedelta) -> datetime:
    """The last whole half ``ttl`` (counted from 1970) that is at most ``ttl`` away, and so over half of it."""
    step = ttl / 2
    return _EPOCH + (now + ttl - _EPOCH) // step * step
