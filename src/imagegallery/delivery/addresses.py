"""Object URLs that the store signs."""

from datetime import datetime

from imagegallery.storage.protocol import ReadMethod, ServesDownloads, SignsDownloads


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
