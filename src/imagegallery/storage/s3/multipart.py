"""Objects that clients upload to S3 in parts."""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from attrs import frozen

from imagegallery.errors import InvalidInput, ObjectNotFound
from imagegallery.storage.protocol import ObjectInfo, Part, PartLimits, UploadRequest
from imagegallery.storage.s3.bucket import Bucket
from imagegallery.storage.s3.presign import Presigner
from imagegallery.storage.s3.replies import StoredPart

# "Amazon S3 multipart upload limits"
LIMITS = PartLimits(smallest=5 * 2**20, largest=5 * 2**30, most=10_000)
_UPLOAD_ID = re.compile(r"[A-Za-z0-9._~+=-]+")


@frozen
class ClientParts:
    """`MultipartUploads` by S3's own multipart uploads. Clients send the parts, so they have no checksum of ours."""

    bucket: Bucket
    signing: Presigner

    async def create(self, key: str, content_type: str) -> str:
        return await self.bucket.begin(key, content_type=content_type, checked=False)

    def presign(
        self, key: str, upload: str, number: int, size: int, expires_at: datetime, *, is_exact: bool
    ) -> UploadRequest:
        if not 1 <= number <= LIMITS.most:
            raise InvalidInput(f"Parts are numbered from 1 to {LIMITS.most:,}.")
        if not 1 <= size <= LIMITS.largest:
            raise InvalidInput(f"A part has 1 to {LIMITS.largest:,} bytes.")
        exactly = size if is_exact else None
        return self.signing.part(self.bucket.prefix + key, upload, number, size=exactly, expires_at=expires_at)

    async def sent(self, key: str, upload: str) -> list[Part]:
        return [sent.part for sent in await self.bucket.parts(key, _check_id(upload))]

    async def complete(self, key: str, upload: str, parts: Sequence[Part]) -> ObjectInfo:
        with suppress(ObjectNotFound):  # completed by an earlier call, or aborted: the object will show
            await self.bucket.complete(key, _check_id(upload), [StoredPart(part) for part in parts])
        found = (await self.bucket.head(key)).info
        if found.size != sum(part.size for part in parts):
            raise ObjectNotFound("There is no such multipart upload.")
        return found

    async def abort(self, key: str, upload: str) -> None:
        with suppress(ObjectNotFound):
            await self.bucket.abort(key, _check_id(upload))


def _check_id(upload: str) -> str:
    """Check that it looks like an id of S3's. Raises `ObjectNotFound`, since anything else could change the request."""
    if not _UPLOAD_ID.fullmatch(upload):
        raise ObjectNotFound("There is no such multipart upload.")
    return upload
