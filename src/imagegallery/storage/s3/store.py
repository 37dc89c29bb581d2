"""Objects in a bucket of S3, or of a store with the same API.

Needs: a bucket (`imagegallery storage setup` makes one with its rules) and these IAM permissions, on the bucket's ARN:

* ``s3:ListBucket`` (without it S3 returns 403 for missing objects), ``s3:ListBucketMultipartUploads``;

and on ``{bucket}/{prefix}*``:

* ``s3:GetObject``, ``s3:PutObject``, ``s3:DeleteObject``, ``s3:AbortMultipartUpload``, ``s3:ListMultipartUploadParts``.

Only setup and doctor, not the running service, need ``s3:CreateBucket``, ``s3:GetBucketCORS``, ``s3:PutBucketCORS``,
``s3:GetLifecycleConfiguration``, ``s3:PutLifecycleConfiguration`` and ``s3:GetBucketVersioning``. With a KMS key:
``kms:GenerateDataKey`` and ``kms:Decrypt`` on it. The bucket stays private: nothing is granted to the public, and all
URLs are signed.

Relies on ``If-None-Match: *`` on PutObject, CopyObject and CompleteMultipartUpload, on ``If-Match`` on GetObject and
DeleteObject, and on ``x-amz-copy-source-if-match``. S3 has them; `imagegallery storage check` tests another store.

Layout below ``prefix``: keys as `imagegallery.storage.keys` builds them, ``incoming/…`` for uploads in progress and
``library/…`` (``galleries/…`` for older ones) for images, and ``.growing/…``, our own, for resumable uploads. A rule of
the bucket may expire what is below ``incoming/`` and ``.growing/``. A promoted object names its source in
``x-amz-meta-made-from``. Each object that was put names its `put` in ``x-amz-meta-put-by``, so that a repeated request
recognises its own work.

Durable: S3 responds once an object is. A presigned form can be sent twice before it expires: the second upload replaces
the first, and `promote` then refuses the unchecked version.
"""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime

from imagegallery.aws.options import AwsOptions
from imagegallery.clock import Clock, utc_now
from imagegallery.errors import InvalidInput
from imagegallery.storage.keys import check_key
from imagegallery.storage.options import S3Options
from imagegallery.storage.protocol import ByteRange, ObjectInfo, ObjectStream, Part, ReadMethod, UploadRequest
from imagegallery.storage.s3.appends import S3Appends
from imagegallery.storage.s3.bucket import Bucket
from imagegallery.storage.s3.connection import connect
from imagegallery.storage.s3.copies import Assembly
from imagegallery.storage.s3.multipart import LIMITS, ClientParts
from imagegallery.storage.s3.pieces import HIDDEN
from imagegallery.storage.s3.presign import Presigner
from imagegallery.storage.s3.promotion import Promotion
from imagegallery.storage.s3.transfer import Transfer

Parts = list[Part]  # the class has a method `list`


class S3Store:
    """An `ObjectStore` that also is `PresignsUploads`, `SignsDownloads`, `MultipartUploads`, `AppendsObjects`,
    `ClearsDrafts`
    and `DeletesMany`. Made by `open`.
    """

    part_limits = LIMITS

    def __init__(self, bucket: Bucket, signing: Presigner, options: S3Options, resources: AsyncExitStack) -> None:
        self._bucket = bucket
        self._signing = signing
        self._resources = resources
        assembly = Assembly(bucket, options.parallel_parts)
        self._transfer = Transfer(bucket, options)
        self._promotion = Promotion(bucket, assembly)
        self._parts = ClientParts(bucket, signing)
        self._appends = S3Appends(bucket, self._transfer, assembly, options.part_size, options.parallel_parts)

    @classmethod
    @asynccontextmanager
    async def open(cls, options: S3Options, aws: AwsOptions, clock: Clock = utc_now) -> AsyncIterator["S3Store"]:
        """Connect to the bucket.

        Raises:
            ConfigurationError: If the bucket does not exist or is not accessible.
            Unavailable: If the store does not respond.
        """
        async with AsyncExitStack() as resources:
            connection = await resources.enter_async_context(connect(options, aws, clock))
            bucket, keys = connection.bucket, connection.keys
            await bucket.check(aws.region if options.endpoint_url is None else None)
            signing = Presigner(
                connection.public_url,
                bucket.name,
                aws.region,
                lambda: keys.now,
                clock,
                bucket.form_fields,
                connection.time,
            )
            yield cls(bucket, signing, options, resources)

    async def aclose(self) -> None:
        await self._resources.aclose()

    # --- ObjectStore, DeletesMany ----------------------------------------------------------------------------

    async def put(
        self,
        key: str,
        data: AsyncIterable[bytes],
        *,
        content_type: str,
        max_size: int | None = None,
        if_absent: bool = False,
    ) -> ObjectInfo:
        self._check(key)
        return await self._transfer.put(key, data, content_type, max_size, if_absent)

    @asynccontextmanager
    async def get(self, key: str, byte_range: ByteRange | None = None) -> AsyncIterator[ObjectStream]:
        self._check(key)
        async with self._transfer.get(key, byte_range) as stream:
            yield stream

    async def head(self, key: str) -> ObjectInfo:
        self._check(key)
        return (await self._bucket.head(key)).info

    async def promote(self, source: str, target: str, *, etag: str, content_type: str) -> ObjectInfo:
        self._check(source)
        self._check(target)
        return await self._promotion.promote(source, target, etag, content_type)

    async def delete(self, key: str) -> None:
        self._check(key)
        await self._bucket.delete(key)

    async def delete_many(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._check(key)
        await self._bucket.delete_all(keys)

    async def list(self, prefix: str = "") -> AsyncIterator[ObjectInfo]:
        if folder := prefix.rpartition("/")[0]:
            self._check(folder)
        async for info in self._bucket.list_objects(prefix):
            if not _is_hidden(info.key):
                yield info

    # --- PresignsUploads, SignsDownloads ---------------------------------------------------------------------

    async def presign_upload(
        self,
        key: str,
        *,
        content_type: str,
        size: int,
        sha256: str | None,
        expires_at: datetime,
        is_exact: bool = True,
    ) -> UploadRequest:
        """Sign a form, whose last field is the file."""
        smallest = size if is_exact else 1
        return self._signing.form(
            self._full(key),
            content_type=content_type,
            sizes=(smallest, size),
            sha256=sha256,
            expires_at=expires_at,
        )

    def sign_download(
        self,
        key: str,
        *,
        content_type: str,
        expires_at: datetime,
        download_as: str | None = None,
        method: ReadMethod = "GET",
    ) -> str:
        return self._signing.download(
            self._full(key), content_type=content_type, expires_at=expires_at, download_as=download_as, method=method
        )

    # --- MultipartUploads ------------------------------------------------------------------------------------

    async def create_multipart(self, key: str, *, content_type: str) -> str:
        self._check(key)
        return await self._parts.create(key, content_type)

    async def presign_part(
        self, key: str, multipart_id: str, number: int, *, size: int, expires_at: datetime, total: int | None = None
    ) -> UploadRequest:
        """Sign a PUT of exactly ``size`` bytes; with ``total`` of any number, since S3 cannot limit it otherwise."""
        self._check(key)
        return self._parts.presign(key, multipart_id, number, size, expires_at, is_exact=total is None)

    async def list_parts(self, key: str, multipart_id: str) -> Parts:
        self._check(key)
        return await self._parts.sent(key, multipart_id)

    async def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[Part]) -> ObjectInfo:
        self._check(key)
        return await self._parts.complete(key, multipart_id, parts)

    async def abort_multipart(self, key: str, multipart_id: str) -> None:
        self._check(key)
        await self._parts.abort(key, multipart_id)

    # --- AppendsObjects, ClearsDrafts ------------------------------------------------------------------------

    async def begin_append(self, key: str, *, content_type: str) -> str:
        self._check(key)
        return await self._appends.begin(key, content_type)

    async def append(
        self, key: str, append_id: str, data: AsyncIterable[bytes], *, offset: int, max_size: int | None = None
    ) -> int:
        self._check(key)
        return await self._appends.append(key, append_id, data, offset, max_size)

    async def appended(self, key: str, append_id: str) -> int:
        self._check(key)
        return await self._appends.size(key, append_id)

    def read_appended(self, key: str, append_id: str) -> AsyncIterator[bytes]:
        self._check(key)
        return self._appends.read(key, append_id)

    async def finish_append(self, key: str, append_id: str) -> ObjectInfo:
        self._check(key)
        return await self._appends.finish(key, append_id)

    async def abort_append(self, key: str, append_id: str) -> None:
        self._check(key)
        await self._appends.abort(key, append_id)

    async def clear_drafts(self, before: datetime) -> int:
        return await self._appends.clear(before)

    # ---------------------------------------------------------------------------------------------------------

    def _check(self, key: str) -> None:
        """Raise `InvalidInput` for an invalid key, one in our own folder, or one too long with the prefix."""
        check_key(key)
        if _is_hidden(key):
            raise InvalidInput(f"Not an object key: the folder {HIDDEN} is the store's own.")
        check_key(self._bucket.prefix + key)

    def _full(self, key: str) -> str:
        self._check(key)
        return self._bucket.prefix + key


def _is_hidden(key: str) -> bool:
    return key.partition("/")[0] == HIDDEN
