"""Our own signed URLs: a grant, serialised and signed, is the token in the URL. Nothing is kept on the server.

A token is URL-safe and says one thing only: this key may be written (or read) until then. Uploads, parts and downloads
are signed under different salts, so that none passes for another. Equal grants give equal tokens, so that a URL whose
expiry is rounded can be cached.
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
    """Leave to write ``key`` once, before ``expires_at``: this media type, ``min_size`` to ``max_size`` bytes, of this
    SHA-256 (in hexadecimal) if it says so."""

    key: str
    content_type: str
    min_size: int
    max_size: int
    expires_at: datetime
    sha256: str | None = None


@frozen
class DownloadGrant:
    """Leave to read ``key`` before ``expires_at``, served as ``content_type``, and as a file if so named."""

    key: str
    content_type: str
    expires_at: datetime
    download_as: str | None = None


@frozen
class PartGrant:
    """Leave to write one part of a multipart upload to ``key``, repeatedly: ``max_size`` bytes each time; or fewer,
    where ``max_total`` is what all parts together may have."""

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

# A change to a grant's fields needs a new salt: what was signed before must not be read as something else.
_SALTS: dict[type[Grant], str] = {
    UploadGrant: "imagegallery.upload.2",
    DownloadGrant: "imagegallery.download",
    PartGrant: "imagegallery.part",
}


class UrlSigner:
    """Signs grants with one secret and reads them back, at the time that ``clock`` tells.

    ``older`` secrets sign nothing any more, and what they have signed is still believed.
    Raises `ConfigurationError` for a secret of fewer than 16 bytes.
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
        """The token of the grant. Fractions of a second of its expiry are dropped."""
        payload = json.dumps(_CONVERTER.unstructure(grant), ensure_ascii=False, separators=(",", ":"))
        return self._signers[type(grant)][0].sign(base64_encode(payload.encode(errors="replace"))).decode()

    def read(self, token: str, kind: type[G]) -> G:
        """The grant in the token.

        Raises `SignatureInvalid` unless the token is, to the letter, what ``sign`` made of a grant of this ``kind``,
        and `SignatureExpired` from its ``expires_at`` on.
        """
        payload = next((read for signer in self._signers[kind] if (read := _payload(signer, token)) is not None), None)
        if payload is None:
            raise _invalid()
        grant = _CONVERTER.structure(json.loads(base64_decode(payload)), kind)
        if grant.expires_at <= self._clock():
            raise SignatureExpired("This URL has expired; ask for a new one.")
        return grant


def _payload(signer: Signer, token: str) -> bytes | None:
    """What was signed; ``None`` if it was not signed by this one, to the letter."""
    try:
        payload = signer.unsign(token.encode(errors="replace"))
    except BadData:
        return None
    # The base64 of a signature can be written in several ways; only ours is the URL that we gave out.
    return payload if signer.sign(payload).decode() == token else None


def _converter() -> cattrs.Converter:
    """Grants as compact lists; times as whole seconds since 1970."""
    converter = cattrs.Converter(unstruct_strat=cattrs.UnstructureStrategy.AS_TUPLE)
    converter.register_unstructure_hook(datetime, lambda moment: int(moment.timestamp()))
    converter.register_structure_hook(datetime, lambda seconds, _: datetime.fromtimestamp(seconds, UTC))
    return converter


_CONVERTER = _converter()


def _invalid() -> SignatureInvalid:
    return SignatureInvalid("This URL was altered, or is used for something else than it was made for.")
