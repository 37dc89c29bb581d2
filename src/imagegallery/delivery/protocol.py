"""Where clients fetch objects: from a public CDN, from one that requires signatures, or from the store."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from attrs import field, frozen

from imagegallery.storage.protocol import ReadMethod


@frozen
class SignedCookie:
    """A cookie (RFC 6265). ``domain`` is ``None`` for the host that sets it."""

    name: str
    value: str = field(repr=False)
    domain: str | None = None


class FolderCookies(Protocol):
    """Cookies that open a folder of the API's addresses, computed without I/O. Nothing is stored about them."""

    base: str
    """The address of the API where these cookies work; empty for that of this service."""

    def cookies_of(self, folder: str, expires_at: datetime) -> tuple[SignedCookie, ...]:
        """Return the cookies for all addresses that begin with ``base`` and ``folder``, which ends with ``/``."""


class ReadsCookies(Protocol):
    """Knows the cookies again that open folders of this service."""

    def end_of(self, cookies: Mapping[str, str], folder: str) -> datetime | None:
        """Until when a request with these cookies may read in the folder; ``None`` if it may not."""


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
