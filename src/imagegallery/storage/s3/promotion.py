"""Promotion on S3, which cannot rename: copy the checked version, then delete that version of the source.

The copy's metadata name its source. So a call interrupted between the two is recognised, even after a copy in parts,
whose etag differs from its source's.
"""

import hashlib
from contextlib import suppress

from attrs import frozen

from imagegallery.common.fault_points import fault_point
from imagegallery.errors import ObjectNotFound, PreconditionFailed
from imagegallery.storage.protocol import ObjectInfo
from imagegallery.storage.s3.bucket import Bucket
from imagegallery.storage.s3.copies import Assembly
from imagegallery.storage.s3.replies import Span

GIBIBYTE = 2**30
COPY_LIMIT = 5 * GIBIBYTE  # API reference, CopyObject
COPIED_PART = GIBIBYTE
MADE_FROM = "made-from"  # x-amz-meta-made-from

COPIED = fault_point("s3.copied", "the object is at its new key, and at its old one")


@frozen
class Promotion:
    """Promotes objects. Copies of more than ``copy_limit`` bytes are made in parts of ``part_size``."""

    bucket: Bucket
    assembly: Assembly
    copy_limit: int = COPY_LIMIT
    part_size: int = COPIED_PART

    async def promote(self, source: str, target: str, etag: str, content_type: str) -> ObjectInfo:
        """See `ObjectStore.promote`."""
        try:
            found = (await self.bucket.head(source)).info
        except ObjectNotFound:
            return (await self.bucket.head(target)).info
        if found.etag != etag:
            raise PreconditionFailed("The object is not the one that was checked.")
        try:
            await self._copy(found, target, content_type)
        # perhaps it is done: by another call, or by an unanswered attempt of this one
        except (ObjectNotFound, PreconditionFailed):
            if not await self._is_made_from(found, target):
                raise
        COPIED.reached()
        await self._remove(source, etag)
        return (await self.bucket.head(target)).info

    async def _copy(self, source: ObjectInfo, target: str, content_type: str) -> None:
        metadata = {MADE_FROM: mark(source)}
        if source.size <= self.copy_limit:
            await self.bucket.copy(
                source.key, target, etag=source.etag, content_type=content_type, metadata=metadata, if_absent=True
            )
            return
        starts = range(0, source.size, self.part_size)
        spans = [Span(source.key, source.etag, start, min(start + self.part_size, source.size)) for start in starts]
        await self.assembly.make(target, spans, content_type=content_type, metadata=metadata, if_absent=True)

    async def _is_made_from(self, source: ObjectInfo, target: str) -> bool:
        """Whether ``target`` exists and was made from this version of ``source``."""
        try:
            found = await self.bucket.head(target)
        except ObjectNotFound:
            return False
        return found.info.size == source.size and found.metadata.get(MADE_FROM) == mark(source)

    async def _remove(self, source: str, etag: str) -> None:
        """Delete the version that was copied, but not a newer one."""
        with suppress(PreconditionFailed, ObjectNotFound):
            await self.bucket.delete(source, etag=etag)


def mark(source: ObjectInfo) -> str:
    """Identify one version of one object, in plain ASCII as headers require."""
    return hashlib.sha256(f"{source.etag} {source.key}".encode()).hexdigest()
