"""Object URLs that take no key of their own: public ones, and those that the store signs."""

from datetime import datetime
from urllib.parse import quote

from imagegallery.errors import ConfigurationError
from imagegallery.storage.protocol import ObjectStore, ServesSignedUrls, SignsDownloads


class PublicUrls:
    """Below one base, for everybody and for ever: a CDN in front of ``/files/``, or ``/files`` itself."""

    is_costly = False

    def __init__(self, base: str) -> None:
        self._base = base

    def url_of(self, key: str, *, content_type: str, expires_at: datetime, download_as: str | None = None) -> str:
        return f"{self._base}/{quote(key)}"


class StoreUrls:
    """The store's own signed URLs: presigned ones of S3, or ``/objects/…`` of our API.

    Raises `ConfigurationError` when the store cannot sign downloads.
    """

    def __init__(self, store: ObjectStore) -> None:
        if not isinstance(store, SignsDownloads):
            raise ConfigurationError("This object store cannot sign downloads, which private galleries need.")
        self._store = store
        # A token of our own is one HMAC; a presigned request is a canonical form and several.
        self.is_costly = not isinstance(store, ServesSignedUrls)

    def url_of(self, key: str, *, content_type: str, expires_at: datetime, download_as: str | None = None) -> str:
        return self._store.sign_download(key, content_type=content_type, expires_at=expires_at, download_as=download_as)
