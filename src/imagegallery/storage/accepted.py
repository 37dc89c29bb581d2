"""Bytes that a signed URL lets somebody send to us, checked against what was signed."""

from collections.abc import AsyncIterable, AsyncIterator

from imagegallery.errors import ChecksumMismatch, TypeMismatch
from imagegallery.storage.signatures import PartGrant, UploadGrant
from imagegallery.storage.streams import HashingStream, at_least, at_most, check_at_least, too_large


def accepted(
    grant: UploadGrant | PartGrant, data: AsyncIterable[bytes], *, content_type: str, content_length: int | None
) -> AsyncIterator[bytes]:
    """Return the same chunks, which raise as `ServesSignedUrls.accept` does. What is announced is refused at once."""
    if isinstance(grant, UploadGrant) and _media_type(content_type) != _media_type(grant.content_type):
        raise TypeMismatch(f"This URL takes an upload of the type {grant.content_type}.")
    if content_length is not None and content_length > grant.max_size:
        raise too_large(grant.max_size)
    if content_length is not None:
        check_at_least(content_length, grant.min_size)
    sized = at_least(at_most(data, grant.max_size), grant.min_size)
    return sized if isinstance(grant, PartGrant) or grant.sha256 is None else _of_digest(sized, grant.sha256)


async def _of_digest(chunks: AsyncIterable[bytes], sha256: str) -> AsyncIterator[bytes]:
    """Yield the same chunks. Raises `ChecksumMismatch` at the end unless they have this SHA-256."""
    hashed = HashingStream(chunks)
    async for chunk in hashed:
        yield chunk
    if hashed.sha256().hex() != sha256:
        raise ChecksumMismatch("The SHA-256 of the file is not the declared one.")


def _media_type(header: str) -> str:
    """The type without parameters, in lower case (RFC 9110 section 8.3.1)."""
    return header.partition(";")[0].strip().lower()
