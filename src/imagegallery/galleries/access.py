"""What decides who may see a gallery: pure, and small enough to be kept."""

from functools import lru_cache

from attrs import frozen

from imagegallery.galleries.gallery import Visibility
from imagegallery.principal import Principal


@frozen
class Access:
    owner_id: str
    visibility: Visibility

    def is_open_to(self, principal: Principal) -> bool:
        return self.visibility.is_open or principal.owns(self.owner_id)

    def to_bytes(self) -> bytes:
        return f"{self.visibility} {self.owner_id}".encode()

    @classmethod
    def from_bytes(cls, encoded: bytes) -> "Access":
        """The inverse of `to_bytes`."""
        return _decode(encoded)


@lru_cache(maxsize=1024)
def _decode(encoded: bytes) -> Access:
    visibility, _, owner_id = encoded.decode().partition(" ")
    return Access(owner_id, Visibility(visibility))
