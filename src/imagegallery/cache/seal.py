"""A seal that shows that only this service can have written something. Pure."""

from collections.abc import Sequence
from hashlib import blake2b
from hmac import compare_digest
from typing import Final

MAC_BYTES: Final = 32
# Separates these keys from others made of the same secrets (RFC 7693, and BLAKE2's "personalization").
_PURPOSE: Final = b"imagegallery.mac"


class Seal:
    """A MAC before the bytes: keyed BLAKE2b over them and their name. It fails for changed bytes, and under another
    name.

    The first of the ``secrets`` seals, and each of them opens, so that they can be rotated.
    """

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._keys = [blake2b(secret, digest_size=MAC_BYTES, person=_PURPOSE).digest() for secret in secrets]

    def close(self, name: str, content: bytes) -> bytes:
        return _mac(self._keys[0], name, content) + content

    def open(self, name: str, sealed: bytes) -> bytes | None:
        """Return the content if one of the secrets has sealed it under this name."""
        mac, content = sealed[:MAC_BYTES], sealed[MAC_BYTES:]
        return content if any(compare_digest(mac, _mac(key, name, content)) for key in self._keys) else None


def _mac(key: bytes, name: str, content: bytes) -> bytes:
    named = name.encode()
    mac = blake2b(len(named).to_bytes(8) + named, key=key, digest_size=MAC_BYTES)
    mac.update(content)
    return mac.digest()
