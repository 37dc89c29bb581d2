"""One bucket: the requests to the S3 API, with typed results and our own errors.

Keys are ours, without the prefix. A body is bytes in memory; `transfer` splits larger ones.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from imagegallery.errors import ConfigurationError, ObjectNotFound, Unavailable
from imagegallery.storage.keys import is_key
from imagegallery.storage.options import S3Options
from imagegallery.storage.protocol import ObjectInfo, Part
from imagegallery.storage.s3.errors import translate_errors
from imagegallery.storage.s3.replies import (
    FoundObject,
    OpenReply,
    Reply,
    Span,
    StoredPart,
    etag_of,
    found,
    object_from_listing,
    part_reference,
    parts_from_listing,
    quote,
    stored,
)

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_s3.type_defs import ListObjectsV2RequestTypeDef, ObjectIdentifierTypeDef

DELETED_AT_ONCE = 1_000  # the limit of DeleteObjects


@frozen
class Bucket:
    """A bucket.

    Attributes:
        client: aiobotocore's. Only this class and `setup` use it.
        listed_at_once: Objects on a page of a listing, at most 1,000.
    """

    client: "S3Client"
    name: str
    prefix: str
    storing: Mapping[str, str]
    form_fields: Mapping[str, str]
    listed_at_once: int = 1_000

    @classmethod
    def of(cls, client: "S3Client", name: str, options: S3Options) -> "Bucket":
        """Make it from options. ``storing`` and ``form_fields`` say how our requests and clients' forms store
        objects."""
        kept = (
            ("ServerSideEncryption", "x-amz-server-side-encryption", options.server_side_encryption),
            ("SSEKMSKeyId", "x-amz-server-side-encryption-aws-kms-key-id", options.kms_key_id),
            ("StorageClass", "x-amz-storage-class", options.storage_class),
        )
        storing = {parameter: value for parameter, _, value in kept if value}
        form_fields = {form_field: value for _, form_field, value in kept if value}
        return cls(client, name, options.prefix, storing, form_fields)

    async def check(self, region: str | None = None) -> None:
        """Raise `ConfigurationError` if the bucket does not exist, is not accessible, or is in another region.

        Signed URLs are valid in their ``region`` only.
        """
        with translate_errors(self.name):
            try:
                reply = await self.client.head_bucket(Bucket=self.name)
            except self.client.exceptions.ClientError as error:
                if error.response["Error"]["Code"] == "404":  # the response to HEAD has no body that could say so
                    error.response["Error"]["Code"] = "NoSuchBucket"
                raise
        if region is not None and (actual := reply.get("BucketRegion", region)) != region:
            raise ConfigurationError(f"The bucket {self.name} is in {actual}, not in {region}: set `aws.region`.")

    # --- whole objects ---------------------------------------------------------------------------------------

    async def put(
        self,
        key: str,
        body: bytes,
        *,
        sha256: str,
        content_type: str,
        if_absent: bool = False,
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:
        """Store an object. S3 refuses a body that does not have this ``sha256`` (in base64)."""
        reply = await self._send(
            "put_object",
            key,
            Body=body,
            ChecksumSHA256=sha256,
            ContentType=content_type,
            Metadata=metadata or {},
            **self.storing,
            **_only_if_absent(if_absent),
        )
        return stored(key, len(body), reply)

    async def open(self, key: str, *, start: int, stop: int | None, etag: str | None = None) -> OpenReply:
        """Read the bytes from ``start`` up to ``stop``. Raises `RangeBeyondEnd` if there are none."""
        wanted = {} if start == 0 and stop is None else {"Range": f"bytes={start}-{'' if stop is None else stop - 1}"}
        reply = await self._send("get_object", key, **wanted, **_only_if_same(etag))
        return OpenReply(found(key, reply), reply["Body"])

    async def head(self, key: str) -> FoundObject:
        """Describe an object. If it is absent, asks whether the bucket is there: a response to HEAD has no body."""
        try:
            return found(key, await self._send("head_object", key, ChecksumMode="ENABLED"))
        except ObjectNotFound:
            await self.check()
            raise

    async def copy(
        self,
        source: str,
        target: str,
        *,
        etag: str,
        content_type: str,
        metadata: Mapping[str, str] | None = None,
        if_absent: bool = False,
    ) -> None:
        """Copy that version only. At most 5 GB."""
        await self._send(
            "copy_object",
            target,
            CopySource=self._source(source),
            CopySourceIfMatch=quote(etag),
            MetadataDirective="REPLACE",
            ContentType=content_type,
            Metadata=metadata or {},
            **self.storing,
            **_only_if_absent(if_absent),
        )

    async def delete(self, key: str, *, etag: str | None = None) -> None:
        """Delete an object. With ``etag``, raises `PreconditionFailed` for another version or none."""
        await self._send("delete_object", key, **_only_if_same(etag))

    async def delete_all(self, keys: Sequence[str]) -> None:
        """Delete all. Tries each, and raises `Unavailable` if some could not be deleted."""
        failed = [
            code
            for start in range(0, len(keys), DELETED_AT_ONCE)
            for code in await self._delete_batch(keys[start : start + DELETED_AT_ONCE])
        ]
        if failed:
            raise Unavailable(f"{len(failed)} of {len(keys)} objects could not be deleted ({failed[0]}).")

    async def _delete_batch(self, keys: Sequence[str]) -> list[str]:
        """Return S3's error code for each that it did not delete."""
        objects: list[ObjectIdentifierTypeDef] = [{"Key": self.prefix + key} for key in keys]
        with translate_errors(self.name):
            reply = await self.client.delete_objects(Bucket=self.name, Delete={"Objects": objects, "Quiet": True})
        return [str(error["Code"]) for error in reply.get("Errors", ()) if error["Code"] != "NoSuchKey"]

    async def list_objects(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """List page by page, without names that are none of our keys, such as placeholders of folders."""
        page: ListObjectsV2RequestTypeDef = {
            "Bucket": self.name,
            "Prefix": self.prefix + prefix,
            "MaxKeys": self.listed_at_once,
        }
        is_truncated = True
        while is_truncated:
            with translate_errors(self.name):
                reply = await self.client.list_objects_v2(**page)
            for each in reply.get("Contents", ()):
                key = each["Key"].removeprefix(self.prefix)
                if is_key(key):
                    yield object_from_listing(key, each)
            if is_truncated := reply["IsTruncated"]:
                page["ContinuationToken"] = reply["NextContinuationToken"]

    # --- objects in parts ------------------------------------------------------------------------------------

    async def begin(
        self, key: str, *, content_type: str, checked: bool, metadata: Mapping[str, str] | None = None
    ) -> str:
        """Start a multipart upload and return its id. With ``checked`` each part comes with its SHA-256."""
        checksum = {"ChecksumAlgorithm": "SHA256"} if checked else {}
        reply = await self._send(
            "create_multipart_upload",
            key,
            ContentType=content_type,
            Metadata=metadata or {},
            **checksum,
            **self.storing,
        )
        return str(reply["UploadId"])

    async def put_part(self, key: str, upload: str, number: int, body: bytes, *, sha256: str) -> StoredPart:
        reply = await self._send(
            "upload_part", key, UploadId=upload, PartNumber=number, Body=body, ChecksumSHA256=sha256
        )
        return StoredPart(Part(number, etag_of(reply), len(body)), reply.get("ChecksumSHA256"))

    async def copy_part(self, key: str, upload: str, number: int, span: Span) -> StoredPart:
        """Copy part ``number`` from that version of another object, within S3."""
        # A range of less than 5 MiB can only be copied from a larger object; a whole object always can.
        some = {} if span.is_whole else {"CopySourceRange": f"bytes={span.start}-{span.stop - 1}"}
        reply = await self._send(
            "upload_part_copy",
            key,
            UploadId=upload,
            PartNumber=number,
            CopySource=self._source(span.key),
            CopySourceIfMatch=quote(span.etag),
            **some,
        )
        result = reply["CopyPartResult"]
        return StoredPart(Part(number, etag_of(result), span.stop - span.start), result.get("ChecksumSHA256"))

    async def parts(self, key: str, upload: str) -> list[StoredPart]:
        """Return all stored parts by number. Raises `ObjectNotFound`."""
        entries: list[Reply] = []
        marker, more = 0, True
        while more:
            reply = await self._send("list_parts", key, UploadId=upload, PartNumberMarker=marker)
            entries.extend(reply.get("Parts", ()))
            more, marker = bool(reply.get("IsTruncated")), int(reply.get("NextPartNumberMarker") or 0)
        return parts_from_listing(entries)

    async def complete(self, key: str, upload: str, parts: Sequence[StoredPart], *, if_absent: bool = False) -> None:
        """Complete it. Raises `ObjectNotFound` if the upload is over, `PreconditionFailed` for foreign parts."""
        await self._send(
            "complete_multipart_upload",
            key,
            UploadId=upload,
            MultipartUpload={"Parts": [part_reference(each) for each in parts]},
            **_only_if_absent(if_absent),
        )

    async def abort(self, key: str, upload: str) -> None:
        """Abort it. Raises `ObjectNotFound` if the upload is over."""
        await self._send("abort_multipart_upload", key, UploadId=upload)

    # ---------------------------------------------------------------------------------------------------------

    async def _send(self, operation: str, key: str, **parameters: object) -> Reply:
        with translate_errors(self.name):
            send: Callable[..., Awaitable[Reply]] = getattr(self.client, operation)
            return await send(Bucket=self.name, Key=self.prefix + key, **parameters)

    def _source(self, key: str) -> dict[str, str]:
        return {"Bucket": self.name, "Key": self.prefix + key}


def _only_if_absent(if_absent: bool) -> dict[str, str]:
    return {"IfNoneMatch": "*"} if if_absent else {}


def _only_if_same(etag: str | None) -> dict[str, str]:
    return {"IfMatch": quote(etag)} if etag is not None else {}
