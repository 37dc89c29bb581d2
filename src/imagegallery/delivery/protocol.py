"""Where clients fetch objects: from a public CDN, from one that requires signatures, or from the store."""

from datetime import datetime
from typing import Protocol

from imagegallery.storage.protocol import ReadMethod


class ObjectUrls(Protocol):
    """URLs of objects, computed without I/O. Nothing is stored about them."""

    is_costly: bool
    """Whether a page full of URLs takes so long that it should be made in a thread."""

    def url_of(
        self,
        key: str,
        *,
        content_type: str,
        expires_at: datetime,
        download_as: str | None = None,
        method: ReadMethod = "GET",
    ) -> str:
        """Return a URL, absolute or relative to the API's prefix, that reads ``key`` until shortly before
        ``expires_at``.

        Equal arguments give equal URLs. A public URL may work for longer.

        Args:
            download_as: The file name to save under, if the URL can express it.
            method: The method of the request.
        """
