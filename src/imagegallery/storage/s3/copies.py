"""Objects assembled from others within S3, without transferring their bytes."""

from collections.abc import Mapping, Sequence

from anyio import CapacityLimiter, create_task_group
from attrs import frozen

from imagegallery.errors import first_cause
from imagegallery.storage.s3.bucket import Bucket
from imagegallery.storage.s3.replies import Span, StoredPart
from imagegallery.storage.s3.transfer import abort_on_failure


@frozen
class Assembly:
    """Assembles objects from ranges of others, copying ``at_once`` of them at a time."""

    bucket: Bucket
    at_once: int

    async def make(
        self,
        target: str,
        spans: Sequence[Span],
        *,
        content_type: str,
        metadata: Mapping[str, str] | None = None,
        if_absent: bool = False,
    ) -> None:
        """Join ``spans`` to the object ``target``, all or nothing. All but the last have at least 5 MiB."""
        upload = await self.bucket.begin(target, content_type=content_type, checked=False, metadata=metadata)
        async with abort_on_failure(self.bucket, target, upload):
            parts = await self._copy(target, upload, spans)
            await self.bucket.complete(target, upload, parts, if_absent=if_absent)

    async def _copy(self, target: str, upload: str, spans: Sequence[Span]) -> list[StoredPart]:
        copied: dict[int, StoredPart] = {}
        turns = CapacityLimiter(self.at_once)

        async def copy(number: int, span: Span) -> None:
            async with turns:
                copied[number] = await self.bucket.copy_part(target, upload, number, span)

        try:
            async with create_task_group() as tasks:
                for number, span in enumerate(spans, start=1):
                    tasks.start_soon(copy, number, span)
        except BaseExceptionGroup as errors:
            raise first_cause(errors) from None
        return [copied[number] for number in sorted(copied)]
