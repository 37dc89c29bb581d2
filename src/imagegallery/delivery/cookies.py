"""Cookies that open a folder of addresses: one signature for all that is in it, instead of one an address. Ours.

A folder is a path below the API's root, such as ``/galleries/01940c7e-…/files/``. Who has its cookie may fetch what the
service serves there, until the cookie ends.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from imagegallery.delivery.protocol import SignedCookie
from imagegallery.errors import SignatureExpired, SignatureInvalid
from imagegallery.storage.signatures import FolderGrant, UrlSigner

COOKIE: Final = "imagegallery-folder"


class OwnCookies:
    """Cookies that this service reads again."""

    def __init__(self, signer: UrlSigner, base: str) -> None:
        """``base`` is the API's address, or nothing: then folders are relative to its root."""
        self.base = base
        self._signer = signer

    def cookies_of(self, folder: str, expires_at: datetime) -> tuple[SignedCookie, ...]:
        return (SignedCookie(COOKIE, self._signer.sign(FolderGrant(folder, expires_at))),)

    def end_of(self, cookies: Mapping[str, str], folder: str) -> datetime | None:
        """Until when our cookie among these opens the folder; ``None`` if it does not."""
        try:
            grant = self._signer.read(cookies.get(COOKIE, ""), FolderGrant)
        except (SignatureInvalid, SignatureExpired):
            return None
        return grant.expires_at if grant.folder == folder else None
