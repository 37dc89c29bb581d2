"""CloudFront's signed URLs, with RSA keys, signed by botocore. Needs the extra ``s3``.

Needs a distribution whose origin is the bucket (with origin access control, and ``storage.s3.prefix`` as the origin's
path if there is one), whose behaviour requires a key group with our public key, and whose cache and origin request
policies forward the query parameter ``response-content-disposition``. See ``docs/how-to/cdn.md``.
"""

from base64 import b64encode
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from botocore.signers import CloudFrontSigner
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from imagegallery.clock import Clock
from imagegallery.common.disposition import attachment
from imagegallery.delivery.options import CloudFrontOptions, SigningKey
from imagegallery.delivery.protocol import SignedCookie
from imagegallery.errors import ConfigurationError
from imagegallery.storage.protocol import ReadMethod

# URLs are reused until their expiry changes: about 0.7 kB each.
URLS_KEPT = 20_000


def load_signer(key: SigningKey) -> CloudFrontSigner:
    """Load the key. Reads a file: not for the event loop. Raises `ConfigurationError`.

    CloudFront verifies SHA-1 by default. Since the signer chooses what is signed, a collision helps nobody.
    """
    assert key.id is not None
    private = _rsa(_pem(key.pem, key.file), key.id)
    return CloudFrontSigner(key.id, lambda message: private.sign(message, PKCS1v15(), SHA1()))  # noqa: S303 - CloudFront's choice


class RotatedKeys:
    """The signer, and the next one from its time on. All processes switch to the next key at the same moment."""

    def __init__(self, options: CloudFrontOptions, clock: Clock) -> None:
        self._clock = clock
        self._signer = load_signer(options.key)
        self._next_signer = load_signer(options.next_key) if options.next_key.is_set else None
        self._next_key_from = options.next_key_from

    def now(self) -> CloudFrontSigner:
        is_next = self._next_key_from is not None and self._clock() >= self._next_key_from
        return self._next_signer or self._signer if is_next else self._signer


class CloudFrontUrls:
    """Private objects through a distribution that requires signatures.

    A URL is for one object: originals are next to variants, so no wildcard matches the variants alone. Signing takes a
    third of a millisecond (``benchmarks/signing.py``), so signed URLs are cached.
    """

    is_costly = True

    def __init__(self, options: CloudFrontOptions, clock: Clock) -> None:
        """Read key files: not for the event loop. Raises `ConfigurationError`."""
        if options.url is None:
            raise ConfigurationError("Set delivery.cloudfront.url to sign URLs for CloudFront.")
        self._base = options.url
        self._keys = RotatedKeys(options, clock)
        self._signed = lru_cache(URLS_KEPT)(_sign)

    def url_of(
        self,
        key: str,
        *,
        content_type: str,
        expires_at: datetime,
        download_as: str | None = None,
        method: ReadMethod = "GET",
    ) -> str:
        return self._signed(self._keys.now(), _object_url(self._base, key, download_as), expires_at)


class CloudFrontCookies:
    """Signed cookies with a custom policy: its resource is a folder, with a wildcard for what is in it.

    CloudFront does not look into the folder. The origin does: it is our API, which serves in there what belongs there.
    """

    def __init__(self, options: CloudFrontOptions, clock: Clock) -> None:
        """Read key files: not for the event loop. Raises `ConfigurationError`."""
        assert options.galleries_url is not None
        self.base = options.galleries_url
        self._domain = options.cookie_domain
        self._keys = RotatedKeys(options, clock)
        self._signed = lru_cache(URLS_KEPT // 10)(_cookies)

    def cookies_of(self, folder: str, expires_at: datetime) -> tuple[SignedCookie, ...]:
        return self._signed(self._keys.now(), f"{self.base}{folder}*", expires_at, self._domain)


def _cookies(
    signer: CloudFrontSigner, resource: str, expires_at: datetime, domain: str | None
) -> tuple[SignedCookie, ...]:
    policy = signer.build_policy(resource, expires_at).encode()
    signed = {
        "Policy": _escaped(policy),
        "Signature": _escaped(signer.rsa_signer(policy)),
        "Key-Pair-Id": signer.key_id,
    }
    return tuple(SignedCookie(f"CloudFront-{name}", value, domain) for name, value in signed.items())


def _escaped(data: bytes) -> str:
    """Base64, without the characters that have a meaning in a cookie (Developer Guide, "Use signed cookies")."""
    return b64encode(data, b"-~").decode().replace("=", "_")


def _sign(signer: CloudFrontSigner, url: str, expires_at: datetime) -> str:
    return str(signer.generate_presigned_url(url, date_less_than=expires_at))


def _object_url(base: str, key: str, download_as: str | None) -> str:
    """The URL to sign. S3 takes a download's file name from the query, which the CDN must forward."""
    url = f"{base}/{quote(key)}"
    if download_as is None:
        return url
    return f"{url}?response-content-disposition={quote(attachment(download_as), safe='')}"


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
