"""Where clients fetch objects: from a CDN for everybody, from one that wants signatures, or from the store."""

from datetime import datetime
from typing import Protocol

from imagegallery.storage.protocol import ReadMethod


class ObjectUrls(Protocol):
    """URLs of objects, computed and never looked up: no I/O, and nothing is kept about a URL that was given out."""

    is_costly: bool
    """Whether a page full of these takes so long that it is better made away from the event loop."""

    def url_of(
        self,
        key: str,
        *,
        content_type: str,
        expires_at: datetime,
        download_as: str | None = None,
        method: ReadMethod = "GET",
    ) -> str:
        """A URL (absolute, or relative to the API's prefix) that reads ``key`` at least until shortly before
        ``expires_at``; equal arguments give equal URLs.

        What needs no leave may work for longer. With ``download_as`` it arrives as a file of that name, where the way
        can say so. ``method`` is the one it will be asked for with.
        """
