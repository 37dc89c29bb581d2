"""One bucket: the requests of the S3 API that we make, with typed answers and our own errors.

Keys are ours, without the prefix. A body is bytes in memory; what is larger than memory is `transfer`'s to cut up.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, cast

from attrs import frozen

from imagegallery.errors import ConfigurationError, ObjectNotFound, Unavailable
from imagegallery.storage.keys import is_key
from imagegallery.storage.options import S3Options
from imagegallery.storage.protocol import ObjectInfo, Part
from imagegallery.storage.s3.errors import translated
from imagegallery.storage.s3.replies import (
    Found,
    Opened,
    Reply,
    SentPart,
    Span,
    etag_of,
    found,
    listed_object,
    listed_parts,
    named_part,
    quoted,
    stored,
)

DELETED_AT_ONCE = 1_000  # DeleteObjects takes no more


@frozen
class Bucket:
    """``client`` is aiobotocore's, whose methods have no types; nobody else touches it. A page of a listing has
    ``listed_at_once`` objects, 1,000 at most."""

    client: Any
    name: str
    prefix: str
    storing: Mapping[str, str]
    form_fields: Mapping[str, str]
    listed_at_once: int = 1_000

    @classmethod
    def of(cls, client: object, name: str, options: S3Options) -> "Bucket":
        """``storing`` and ``form_fields`` are how objects are to be kept: for our requests, and for clients' forms."""
        kept = (
            ("ServerSideEncryption", "x-amz-server-side-encryption", options.server_side_encryption),
            ("SSEKMSKeyId", "x-amz-server-side-encryption-aws-kms-key-id", options.kms_key_id),
            ("StorageClass", "x-amz-storage-class", options.storage_class),
        )
        storing = {parameter: value for parameter, _, value in kept if value}
        form_fields = {form_field: value for _, form_field, value in kept if value}
        return cls(client, name, options.prefix, storing, form_fields)

    async def check(self, region: str | None = None) -> None:
        """Raises `ConfigurationError` when it is not there, not ours to use, or not in this ``region``, for which
        signed URLs are good."""
        with translated(self.name):
            try:
                reply = await self.client.head_bucket(Bucket=self.name)
            except self.client.exceptions.ClientError as error:
                if error.response["Error"]["Code"] == "404":  # HEAD has no body that could say so
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
        """``sha256`` is of the body, in base64; S3 refuses other bytes."""
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

    async def open(self, key: str, *, start: int, stop: int | None, etag: str | None = None) -> Opened:
        """The bytes from ``start`` to the last before ``stop``. Raises `RangeBeyondEnd` when none is there."""
        wanted = {} if start == 0 and stop is None else {"Range": f"bytes={start}-{'' if stop is None else stop - 1}"}
        reply = await self._send("get_object", key, **wanted, **_only_if_same(etag))
        return Opened(found(key, reply), reply["Body"])

    async def head(self, key: str) -> Found:
        """HEAD has no body that could say what is absent, the object or the bucket: the bucket is asked, too."""
        try:
            return found(key, await self._send("head_object", key))
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
        """A copy, of that version only. Up to 5 GB."""
        await self._send(
            "copy_object",
            target,
            CopySource=self._source(source),
            CopySourceIfMatch=quoted(etag),
            MetadataDirective="REPLACE",
            ContentType=content_type,
            Metadata=metadata or {},
            **self.storing,
            **_only_if_absent(if_absent),
        )

    async def delete(self, key: str, *, etag: str | None = None) -> None:
        """With ``etag``, raises `PreconditionFailed` when another version is there (or none)."""
        await self._send("delete_object", key, **_only_if_same(etag))

    async def delete_all(self, keys: Sequence[str]) -> None:
        """Raises `Unavailable` when some could not be deleted, after trying all."""
        failed = [
            code
            for start in range(0, len(keys), DELETED_AT_ONCE)
            for code in await self._delete_batch(keys[start : start + DELETED_AT_ONCE])
        ]
        if failed:
            raise Unavailable(f"{len(failed)} of {len(keys)} objects could not be deleted ({failed[0]}).")

    async def _delete_batch(self, keys: Sequence[str]) -> list[str]:
        """Answers S3's code for each that it did not delete."""
        objects = [{"Key": self.prefix + key} for key in keys]
        with translated(self.name):
            reply = await self.client.delete_objects(Bucket=self.name, Delete={"Objects": objects, "Quiet": True})
        return [str(error["Code"]) for error in reply.get("Errors", ()) if error["Code"] != "NoSuchKey"]

    async def listed(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """Page by page; what no key of ours can name (folders' placeholders) is left out."""
        more: Reply = {"IsTruncated": True}
        while more["IsTruncated"]:
            more = await self._page(prefix, more.get("NextContinuationToken"))
            for each in more.get("Contents", ()):
                key = str(each["Key"]).removeprefix(self.prefix)
                if is_key(key):
                    yield listed_object(key, each)

    async def _page(self, prefix: str, token: str | None) -> Reply:
        after = {"ContinuationToken": token} if token else {}
        with translated(self.name):
            reply = await self.client.list_objects_v2(
                Bucket=self.name, Prefix=self.prefix + prefix, MaxKeys=self.listed_at_once, **after
            )
        return cast(Reply, reply)

    # --- objects in parts ------------------------------------------------------------------------------------

    async def begin(
        self, key: str, *, content_type: str, checked: bool, metadata: Mapping[str, str] | None = None
    ) -> str:
        """A multipart upload's id. ``checked``: each part comes with its SHA-256."""
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

    async def put_part(self, key: str, upload: str, number: int, body: bytes, *, sha256: str) -> SentPart:
        reply = await self._send(
            "upload_part", key, UploadId=upload, PartNumber=number, Body=body, ChecksumSHA256=sha256
        )
        return SentPart(Part(number, etag_of(reply), len(body)), reply.get("ChecksumSHA256"))

    async def copy_part(self, key: str, upload: str, number: int, span: Span) -> SentPart:
        """Part ``number`` from another object, of that version only, without passing through here."""
        # A range of less than 5 MiB can only be copied out of a larger object; the whole of it always can.
        some = {} if span.is_whole else {"CopySourceRange": f"bytes={span.start}-{span.stop - 1}"}
        reply = await self._send(
            "upload_part_copy",
            key,
            UploadId=upload,
            PartNumber=number,
            CopySource=self._source(span.key),
            CopySourceIfMatch=quoted(span.etag),
            **some,
        )
        result = reply["CopyPartResult"]
        return SentPart(Part(number, etag_of(result), span.stop - span.start), result.get("ChecksumSHA256"))

    async def parts(self, key: str, upload: str) -> list[SentPart]:
        """All that are stored, by number. Raises `ObjectNotFound`."""
        entries: list[Reply] = []
        marker, more = 0, True
        while more:
            reply = await self._send("list_parts", key, UploadId=upload, PartNumberMarker=marker)
            entries.extend(reply.get("Parts", ()))
            more, marker = bool(reply.get("IsTruncated")), int(reply.get("NextPartNumberMarker") or 0)
        return listed_parts(entries)

    async def complete(self, key: str, upload: str, parts: Sequence[SentPart], *, if_absent: bool = False) -> None:
        """Raises `ObjectNotFound` for an upload that is over, `PreconditionFailed` for parts that are not its own."""
        await self._send(
            "complete_multipart_upload",
            key,
            UploadId=upload,
            MultipartUpload={"Parts": [named_part(each) for each in parts]},
            **_only_if_absent(if_absent),
        )

    async def abort(self, key: str, upload: str) -> None:
        """Raises `ObjectNotFound` for an upload that is over."""
        await self._send("abort_multipart_upload", key, UploadId=upload)

    # ---------------------------------------------------------------------------------------------------------

    async def _send(self, operation: str, key: str, **parameters: object) -> Reply:
        with translated(self.name):
            return cast(
                Reply, await getattr(self.client, operation)(Bucket=self.name, Key=self.prefix + key, **parameters)
            )

    def _source(self, key: str) -> dict[str, str]:
        return {"Bucket": self.name, "Key": self.prefix + key}


def _only_if_absent(if_absent: bool) -> dict[str, str]:
    return {"IfNoneMatch": "*"} if if_absent else {}


def _only_if_same(etag: str | None) -> dict[str, str]:
    return {"IfMatch": quoted(etag)} if etag is not None else {}
