"""Our own signed URLs: the token in the URL is a signed grant. The server stores nothing.

A token says one thing: this key may be written (or read) until then. What is for uploads, parts, downloads and folders
is signed with different keys, so that none passes for another. Equal grants give equal tokens, so that URLs with
rounded expiry can be cached.

A token is ``{signature}.{text}``: HMAC-SHA-256, truncated to its first 128 bits (RFC 2104 section 5), of the text. The
text of a download is ``{expiry}/{key}``, since a page of private images has hundreds of them; one that says more than
its key does has ``{expiry}.{rest}/{key}``. The text of an upload is a list.
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

import cattrs
from attrs import frozen

from imagegallery.clock import Clock
from imagegallery.errors import ConfigurationError, SignatureExpired, SignatureInvalid
from imagegallery.storage.keys import content_type_of
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


@frozen
class FolderGrant:
    """Permission to read what is served below ``folder``, a path of the API, before ``expires_at``."""

    folder: str
    expires_at: datetime


Grant = UploadGrant | DownloadGrant | PartGrant | FolderGrant
G = TypeVar("G", UploadGrant, DownloadGrant, PartGrant, FolderGrant)

# A change of a grant's text needs a new salt: older tokens must not be read as something else.
_SALTS: dict[type[Grant], bytes] = {
    UploadGrant: b"imagegallery.upload.3",
    DownloadGrant: b"imagegallery.download.2",
    PartGrant: b"imagegallery.part.2",
    FolderGrant: b"imagegallery.folder.1",
}
_SIGNATURE_BYTES = 16


class UrlSigner:
    """Signs grants with one secret and reads them, at the time of ``clock``.

    ``older`` secrets no longer sign, but their tokens stay valid. Raises `ConfigurationError` for a secret of fewer
    than 16 bytes.
    """

    def __init__(self, secret: bytes, clock: Clock, older: Sequence[bytes] = ()) -> None:
        if any(len(each) < MIN_SECRET_BYTES for each in (secret, *older)):
            raise ConfigurationError(f"A secret that signs URLs must have at least {MIN_SECRET_BYTES} bytes.")
        self._clock = clock
        self._keys = {
            kind: [hmac.digest(each, salt, "sha256") for each in (secret, *older)] for kind, salt in _SALTS.items()
        }

    def sign(self, grant: Grant) -> str:
        """Return the grant's token. The expiry loses fractions of a second."""
        text = _download_text(grant) if isinstance(grant, DownloadGrant) else _encode(_CONVERTER.unstructure(grant))
        return f"{_signature(self._keys[type(grant)][0], text)}.{text}"

    def read(self, token: str, kind: type[G]) -> G:
        """Return the grant in the token.

        Raises:
            SignatureInvalid: Unless ``sign`` made exactly this token from a grant of this ``kind``.
            SignatureExpired: From its ``expires_at`` on.
        """
        given, _, text = token.partition(".")
        if not any(_is_same(given, _signature(key, text)) for key in self._keys[kind]):
            raise SignatureInvalid("This URL was altered, or is used for something else than it was made for.")
        fields = _download_fields(text) if kind is DownloadGrant else _decode(text)
        grant = _CONVERTER.structure(fields, kind)
        if grant.expires_at <= self._clock():
            raise SignatureExpired("This URL has expired; ask for a new one.")
        return grant


def _signature(key: bytes, text: str) -> str:
    return _base64(hmac.digest(key, text.encode(errors="replace"), "sha256")[:_SIGNATURE_BYTES])


def _is_same(given: str, signature: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), signature.encode())


def _download_text(grant: DownloadGrant) -> str:
    expiry = f"{int(grant.expires_at.timestamp()):x}"
    if grant.download_as is None and grant.content_type == content_type_of(grant.key):
        return f"{expiry}/{grant.key}"
    return f"{expiry}.{_encode([grant.content_type, grant.download_as])}/{grant.key}"


def _download_fields(text: str) -> Sequence[object]:
    """The inverse of `_download_text`: the values of a `DownloadGrant`, in order."""
    head, _, key = text.partition("/")
    expiry, _, rest = head.partition(".")
    content_type, download_as = _decode(rest) if rest else (content_type_of(key), None)
    return key, content_type, int(expiry, 16), download_as


def _encode(values: Sequence[object]) -> str:
    return _base64(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))


def _decode(text: str) -> Sequence[object]:
    values: Sequence[object] = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return values


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _converter() -> cattrs.Converter:
    """Write grants as compact lists, and times as whole seconds since 1970."""
    converter = cattrs.Converter(unstruct_strat=cattrs.UnstructureStrategy.AS_TUPLE)
    converter.register_unstructure_hook(datetime, lambda moment: int(moment.timestamp()))
    converter.register_structure_hook(datetime, lambda seconds, _: datetime.fromtimestamp(seconds, UTC))
    return converter


_CONVERTER = _converter()
