"""Our own signed URLs: the token in the URL is a signed grant. The server stores nothing.

A token is URL-safe and says one thing: this key may be written (or read) until then. Uploads, parts and downloads are
signed with different salts, so that none passes for another. Equal grants give equal tokens, so that URLs with rounded
expiry can be cached.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

import cattrs
from attrs import frozen
from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from imagegallery.clock import Clock
from imagegallery.errors import ConfigurationError, SignatureExpired, SignatureInvalid
from imagegallery.storage.options import MIN_SECRET_BYTES


@frozen
class UploadGrant:
    """Permission to write ``key`` once before ``expires_at``: this media type, ``min_size`` to ``max_size`` bytes, and,
    if
    given, this SHA-256 in hexadecimal.
    """

    key: str
    content_type: str
    min_size: int
    max_size: int
    expires_at: datetime
    sha256: str | None = None


@frozen
class DownloadGrant:
    """Permission to read ``key`` before ``expires_at``, served as ``content_type``, and as a file if it has a name."""

    key: str
    content_type: str
    expires_at: datetime
    download_as: str | None = None


@frozen
class PartGrant:
    """Permission to write one part of a multipart upload to ``key``, repeatedly, with ``max_size`` bytes each time.
    With
    ``max_total``, the limit of all parts together, it may have fewer.
    """

    key: str
    multipart_id: str
    number: int
    max_size: int
    expires_at: datetime
    max_total: int | None = None

    @property
    def min_size(self) -> int:
        return self.max_size if self.max_total is None else 0


Grant = UploadGrant | DownloadGrant | PartGrant
G = TypeVar("G", UploadGrant, DownloadGrant, PartGrant)

# A change of a grant's fields needs a new salt: older tokens must not be read as something else.
_SALTS: dict[type[Grant], str] = {
    UploadGrant: "imagegallery.upload.2",
    DownloadGrant: "imagegallery.download",
    PartGrant: "imagegallery.part",
}


class UrlSigner:
    """Signs grants with one secret and reads them, at the time of ``clock``.

    ``older`` secrets no longer sign, but their tokens stay valid. Raises `ConfigurationError` for a secret of fewer
    than 16 bytes.
    """

    def __init__(self, secret: bytes, clock: Clock, older: Sequence[bytes] = ()) -> None:
        if any(len(each) < MIN_SECRET_BYTES for each in (secret, *older)):
            raise ConfigurationError(f"A secret that signs URLs must have at least {MIN_SECRET_BYTES} bytes.")
        self._clock = clock
        self._signers = {
            kind: [
                Signer(each, salt=salt, key_derivation="hmac", digest_method=hashlib.sha256)
                for each in (secret, *older)
            ]
            for kind, salt in _SALTS.items()
        }

    def sign(self, grant: Grant) -> str:
        """Return the grant's token. The expiry loses fractions of a second."""
        payload = json.dumps(_CONVERTER.unstructure(grant), ensure_ascii=False, separators=(",", ":"))
        return self._signers[type(grant)][0].sign(base64_encode(payload.encode(errors="replace"))).decode()

    def read(self, token: str, kind: type[G]) -> G:
        """Return the grant in the token.

        Raises:
            SignatureInvalid: Unless ``sign`` made exactly this token from a grant of this ``kind``.
            SignatureExpired: From its ``expires_at`` on.
        """
        payload = next((read for signer in self._signers[kind] if (read := _payload(signer, token)) is not None), None)
        if payload is None:
            raise _invalid()
        grant = _CONVERTER.structure(json.loads(base64_decode(payload)), kind)
        if grant.expires_at <= self._clock():
            raise SignatureExpired("This URL has expired; ask for a new one.")
        return grant


def _payload(signer: Signer, token: str) -> bytes | None:
    """What was signed, or ``None`` if this signer did not make exactly this token."""
    try:
        payload = signer.unsign(token.encode(errors="replace"))
    except BadData:
        return None
    # Base64 can spell the same signature in several ways; only ours is valid.
    return payload if signer.sign(payload).decode() == token else None


def _converter() -> cattrs.Converter:
    """Write grants as compact lists, and times as whole seconds since 1970."""
    converter = cattrs.Converter(unstruct_strat=cattrs.UnstructureStrategy.AS_TUPLE)
    converter.register_unstructure_hook(datetime, lambda moment: int(moment.timestamp()))
    converter.register_structure_hook(datetime, lambda seconds, _: datetime.fromtimestamp(seconds, UTC))
    return converter


_CONVERTER = _converter()


def _invalid() -> SignatureInvalid:
    return SignatureInvalid("This URL was altered, or is used for something else than it was made for.")
