"""Object URLs without keys of their own: public ones, and those that the store signs."""

from datetime import datetime
from urllib.parse import quote

from imagegallery.storage.protocol import ReadMethod, ServesDownloads, SignsDownloads


class PublicUrls:
    """Permanent URLs for everybody below one base: a CDN in front of ``/files/``, or ``/files`` itself."""

    def __init__(self, base: str) -> None:
        self._base = base

    def url_of(self, key: str) -> str:
        return f"{self._base}/{quote(key)}"


class StoreUrls:
    """Signed URLs that read from the store: presigned ones of S3, or ``/objects/…`` of our API."""

    def __init__(self, store: SignsDownloads) -> None:
        self._store = store
        # A token of ours costs one HMAC; a presigned request several, and a canonical form.
        self.is_costly = not isinstance(store, ServesDownloads)

    def url_of(
        self,
        key: str,
        *,
        content_type: str,
        expires_at: datetime,
        download_as: str | None = None,
        method: ReadMethod = "GET",
    ) -> str:
        return self._store.sign_download(
            key, content_type=content_type, expires_at=expires_at, download_as=download_as, method=method
        )
