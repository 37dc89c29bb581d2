"""Objects in a bucket of S3, or of a store that speaks its protocol.

Needs: a bucket (`imagegallery storage setup` makes one and its rules) and these IAM permissions, on the bucket's ARN:

* ``s3:ListBucket`` (without it, S3 answers 403 for what is not there), ``s3:ListBucketMultipartUploads``;

and on ``{bucket}/{prefix}*``:

* ``s3:GetObject``, ``s3:PutObject``, ``s3:DeleteObject``, ``s3:AbortMultipartUpload``, ``s3:ListMultipartUploadParts``.

Set-up and doctor alone, not the running service, need ``s3:CreateBucket``, ``s3:GetBucketCORS``, ``s3:PutBucketCORS``,
``s3:GetLifecycleConfiguration``, ``s3:PutLifecycleConfiguration`` and ``s3:GetBucketVersioning``. With a KMS key:
``kms:GenerateDataKey`` and ``kms:Decrypt`` on it. The bucket stays private: nothing is granted to the public, all URLs
are signed.

Relied on: ``If-None-Match: *`` on PutObject, CopyObject and CompleteMultipartUpload; ``If-Match`` on GetObject and
DeleteObject, and as ``x-amz-copy-source-if-match``. S3 has them; `imagegallery storage check` asks another store.

Layout, below ``prefix``: keys as `imagegallery.storage.keys` makes them, ``incoming/…`` for uploads under way and
``galleries/…`` for images, and ``.growing/…``, our own, for uploads that resume. What lies under ``incoming/`` and
``.growing/`` may be expired by a rule of the bucket. An object that was promoted says so in ``x-amz-meta-made-from``,
and each one that was put names its `put` in ``x-amz-meta-put-by``, so that a request sent again knows its own work.

Durable: S3 answers once an object is. A presigned form can be sent twice before it expires: the second upload replaces
the first, and `promote` then refuses what was not checked.
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
from imagegallery.storage.s3.appends import Growing
from imagegallery.storage.s3.bucket import Bucket
from imagegallery.storage.s3.connection import connected
from imagegallery.storage.s3.copies import Assembly
from imagegallery.storage.s3.multipart import LIMITS, ClientParts
from imagegallery.storage.s3.pieces import HIDDEN
from imagegallery.storage.s3.presign import Signing
from imagegallery.storage.s3.promotion import Moving
from imagegallery.storage.s3.transfer import Transfer

Parts = list[Part]  # the class has a method of that name


class S3Store:
    """An `ObjectStore` that also `PresignsUploads`, `SignsDownloads`, takes `MultipartUploads`, `AppendsObjects`,
    `ClearsDrafts` and `DeletesMany`. Made by `open`.
    """

    part_limits = LIMITS

    def __init__(self, bucket: Bucket, signing: Signing, options: S3Options, resources: AsyncExitStack) -> None:
        self._bucket = bucket
        self._signing = signing
        self._resources = resources
        assembly = Assembly(bucket, options.parallel_parts)
        self._transfer = Transfer(bucket, options)
        self._moving = Moving(bucket, assembly)
        self._parts = ClientParts(bucket, signing)
        self._growing = Growing(bucket, self._transfer, assembly, options.part_size, options.parallel_parts)

    @classmethod
    @asynccontextmanager
    async def open(cls, options: S3Options, aws: AwsOptions, clock: Clock = utc_now) -> AsyncIterator["S3Store"]:
        """Raises `ConfigurationError` when the bucket is not there or not ours to use, `Unavailable` when the store
        does not answer."""
        async with AsyncExitStack() as resources:
            connection = await resources.enter_async_context(connected(options, aws, clock))
            bucket, keys = connection.bucket, connection.keys
            await bucket.check(aws.region if options.endpoint_url is None else None)
            signing = Signing(
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
        return await self._moving.promote(source, target, etag, content_type)

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
        async for info in self._bucket.listed(prefix):
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
        """A form: the file is its last field."""
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
        """A PUT of exactly ``size`` bytes; with ``total``, of any number: S3 can bound it in no other way."""
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
        return await self._growing.begin(key, content_type)

    async def append(
        self, key: str, append_id: str, data: AsyncIterable[bytes], *, offset: int, max_size: int | None = None
    ) -> int:
        self._check(key)
        return await self._growing.append(key, append_id, data, offset, max_size)

    async def appended(self, key: str, append_id: str) -> int:
        self._check(key)
        return await self._growing.size(key, append_id)

    def read_appended(self, key: str, append_id: str) -> AsyncIterator[bytes]:
        self._check(key)
        return self._growing.read(key, append_id)

    async def finish_append(self, key: str, append_id: str) -> ObjectInfo:
        self._check(key)
        return await self._growing.finish(key, append_id)

    async def abort_append(self, key: str, append_id: str) -> None:
        self._check(key)
        await self._growing.abort(key, append_id)

    async def clear_drafts(self, before: datetime) -> int:
        return await self._growing.clear(before)

    # ---------------------------------------------------------------------------------------------------------

    def _check(self, key: str) -> None:
        """Raises `InvalidInput` for what is no key, is our own folder, or is too long behind the prefix."""
        check_key(key)
        if _is_hidden(key):
            raise InvalidInput(f"Not an object key: the folder {HIDDEN} is the store's own.")
        check_key(self._bucket.prefix + key)

    def _full(self, key: str) -> str:
        self._check(key)
        return self._bucket.prefix + key


def _is_hidden(key: str) -> bool:
    return key.partition("/")[0] == HIDDEN
