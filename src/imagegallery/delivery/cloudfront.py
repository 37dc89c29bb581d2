"""CloudFront's signed URLs, with RSA keys. Needs the extra ``s3`` (cryptography).

What it takes from the outside: a distribution whose origin is the bucket (with origin access control, and with
``storage.s3.prefix`` as the origin's path if there is one), whose behaviour requires a key group that holds our public
key, and whose cache and origin request policies hand on the query parameter ``response-content-disposition``.
See ``docs/how-to/cdn.md``.
"""

from datetime import datetime
from functools import lru_cache
from pathlib import Path

from attrs import frozen
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from imagegallery.clock import Clock
from imagegallery.delivery.options import CloudFrontOptions, SigningKey
from imagegallery.delivery.policy import Policy, object_url, signed_url
from imagegallery.errors import ConfigurationError
from imagegallery.storage.protocol import ReadMethod

# URLs that are given out again and again until their expiry steps on: about 0.7 kB each.
URLS_KEPT = 20_000


@frozen(eq=False)
class CloudFrontKey:
    """A key that signs; ``id`` is what CloudFront calls its public half."""

    id: str
    private: RSAPrivateKey

    @classmethod
    def load(cls, key: SigningKey) -> "CloudFrontKey":
        """Reads a file: not for the event loop. Raises `ConfigurationError`."""
        assert key.id is not None
        return cls(key.id, _rsa(_pem(key.pem, key.file), key.id))

    def sign(self, url: str, policy: Policy) -> str:
        """``url``, signed. CloudFront verifies SHA-1 unless told otherwise, and the one who signs is the one who
        chooses what is signed: a collision gains nobody anything."""
        signature = self.private.sign(policy.text().encode(), PKCS1v15(), SHA1())  # noqa: S303
        return signed_url(url, policy, signature, self.id)


class CloudFrontUrls:
    """Private objects through a distribution that asks for signatures.

    A URL is for one object: originals lie beside variants, so that no wildcard fits the variants alone. Signing costs a
    third of a millisecond (``benchmarks/signing.py``); what was signed is kept until others need the room.
    """

    is_costly = True

    def __init__(self, options: CloudFrontOptions, clock: Clock) -> None:
        """Reads key files: not for the event loop. Raises `ConfigurationError`."""
        if options.url is None:
            raise ConfigurationError("Set delivery.cloudfront.url to sign URLs for CloudFront.")
        self._base = options.url
        self._clock = clock
        self._key = CloudFrontKey.load(options.key)
        self._next_key = CloudFrontKey.load(options.next_key) if options.next_key.is_set else None
        self._next_key_from = options.next_key_from
        self._signed = lru_cache(URLS_KEPT)(_sign)

    @property
    def key(self) -> CloudFrontKey:
        """The one that signs now."""
        if self._next_key is not None and self._next_key_from is not None and self._clock() >= self._next_key_from:
            return self._next_key
        return self._key

    def url_of(
        self,
        key: str,
        *,
        content_type: str,
        expires_at: datetime,
        download_as: str | None = None,
        method: ReadMethod = "GET",
    ) -> str:
        return self._signed(self.key, object_url(self._base, key, download_as), expires_at)


def _sign(key: CloudFrontKey, url: str, expires_at: datetime) -> str:
    return key.sign(url, Policy(url, expires_at))


def _pem(text: str | None, file: Path | None) -> bytes:
    if text is not None:
        return text.encode()
    assert file is not None
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"The CloudFront key file cannot be read: {error.strerror}.") from error


def _rsa(pem: bytes, key_id: str) -> RSAPrivateKey:
    try:
        loaded = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigurationError(f"The private key of {key_id} is no PEM without a password.") from None
    if not isinstance(loaded, RSAPrivateKey):
        raise ConfigurationError(f"The private key of {key_id} is no RSA key.")
    return loaded
