"""What an object store must do, and what it may do in addition.

``ObjectStore`` is all that a backend owes: streams in, streams out, and three promises:

* ``put`` and ``promote`` are all or nothing: a reader sees the whole object or none, even after a crash;
* ``promote`` moves an object only if it is still the one that was checked, and may be repeated;
* ``delete`` of a missing object succeeds.

The other protocols are optional capabilities. A service asks ``isinstance(store, PresignsUploads)`` and does without if
it is false. `imagegallery.testing.storage.ObjectStoreSuite` tests a backend.
"""

from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from attrs import field, frozen
from attrs.validators import ge

ReadMethod = Literal["GET", "HEAD"]


@frozen
class ObjectInfo:
    """What a store knows of an object without reading it.

    Attributes:
        size: In bytes.
        etag: Opaque, without quotes, different whenever the bytes may differ.
        sha256: Of all the bytes, if the store has checked it; `ObjectStore.head` tells.
    """

    key: str
    size: int
    etag: str
    modified_at: datetime
    sha256: bytes | None = field(default=None, eq=False)


@frozen
class ByteRange:
    """Bytes from ``start`` up to but not including ``stop`` (half-open, unlike HTTP's); ``0 <= start <= stop``."""

    start: int = field(validator=ge(0))
    stop: int = field()

    @stop.validator
    def _check_order(self, _attribute: object, stop: int) -> None:
        if stop < self.start:
            raise ValueError(f"A range cannot stop ({stop}) before it starts ({self.start}).")


@frozen
class ObjectStream:
    """An open object: its description, and its bytes or the requested range of them in chunks."""

    info: ObjectInfo
    chunks: AsyncIterator[bytes]


@runtime_checkable
class ObjectStore(Protocol):
    """Bytes under keys.

    Keys are relative, ``/``-separated and never parsed; `imagegallery.storage.keys` builds them. Every method raises
    `InvalidInput` for a key that `imagegallery.storage.keys.check_key` refuses.
    """

    async def put(
        self,
        key: str,
        data: AsyncIterable[bytes],
        *,
        content_type: str,
        max_size: int | None = None,
        if_absent: bool = False,
    ) -> ObjectInfo:
        """Store the stream under ``key``, replacing an existing object. Returns once the object is durable.

        If this raises, also because ``data`` does, it leaves nothing behind.

        Raises:
            TooLarge: As soon as more than ``max_size`` bytes have arrived.
            PreconditionFailed: With ``if_absent``, if the key is taken.
        """

    def get(self, key: str, byte_range: ByteRange | None = None) -> AbstractAsyncContextManager[ObjectStream]:
        """Open the object for reading, whole or in part. A range is clipped to the object's end.

        Raises:
            ObjectNotFound: On entering the context.
        """

    async def head(self, key: str) -> ObjectInfo:
        """Describe the object.

        Raises:
            ObjectNotFound: If there is none.
        """

    async def promote(self, source: str, target: str, *, etag: str, content_type: str) -> ObjectInfo:
        """Move ``source`` to ``target`` if ``source`` still has ``etag``. Never overwrites anything.

        May be repeated: if ``source`` is gone and ``target`` exists, an earlier call succeeded, and this returns
        ``target``. If both exist and are the same object, an earlier call was interrupted, and this one completes it.

        Raises:
            PreconditionFailed: If the etag differs, or ``target`` is another object.
            ObjectNotFound: If both are missing.
        """

    async def delete(self, key: str) -> None:
        """Remove the object. Removing a missing one is no error."""

    def list(self, prefix: str = "") -> AsyncIterator[ObjectInfo]:
        """Yield every object whose key starts with ``prefix``, in any order.

        Objects stored or deleted meanwhile may be included or not; all others appear exactly once.
        """

    async def aclose(self) -> None:
        """Release connections and files. The store must not be used afterwards."""


@frozen
class UploadRequest:
    """What a client must send, byte for byte, to upload its file.

    Attributes:
        url: Absolute, or relative to the mount point of the API.
        headers: To send as they are (PUT).
        fields: Form fields to send before the file (POST).
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(factory=dict)
    fields: Mapping[str, str] = field(factory=dict)


@runtime_checkable
class PresignsUploads(Protocol):
    """The store can let a client without credentials write one object. No I/O."""

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
        """Sign a request that can only write ``key``, with exactly this type, size and checksum.

        A repetition with the same bytes succeeds, since the first response may have been lost. With other bytes it is
        refused, or, if the store cannot refuse it, changes the object's etag.

        Args:
            size: In bytes. Without ``is_exact`` it is only the maximum; at least one byte must be sent.
            sha256: In hexadecimal.
        """


@runtime_checkable
class SignsDownloads(Protocol):
    """The store can let a client without credentials read one object for a while. No I/O."""

    def sign_download(
        self,
        key: str,
        *,
        content_type: str,
        expires_at: datetime,
        download_as: str | None = None,
        method: ReadMethod = "GET",
    ) -> str:
        """Return a URL, absolute or relative to the mount point of the API, that reads ``key`` until ``expires_at``.

        Args:
            download_as: The file name to save under; the response is then an attachment.
            method: The method of the request. S3 signs it, and refuses HEAD at a URL signed for GET.
        """


@frozen
class SignedObject:
    """What a download URL gives access to, and how to serve it.

    Attributes:
        expires_at: The end of the time for which caches may keep the response.
        download_as: The file name of an attachment.
    """

    info: ObjectInfo
    content_type: str
    expires_at: datetime
    download_as: str | None


@frozen
class SignedStream:
    """An open `SignedObject`. Take headers from here: the object may have changed since `ServesDownloads.describe`."""

    object: SignedObject
    chunks: AsyncIterator[bytes]


@runtime_checkable
class ServesDownloads(Protocol):
    """Signed download URLs are ``/objects/{token}`` of our own API, which serves them through these methods. A token
    may have slashes; in the URL it is percent-encoded.

    A ``GET`` calls `describe` (which suffices for ``HEAD``, 304 and resolving a range), then `open`. Before anything
    else, both raise `SignatureInvalid` for a token that was altered or is for uploads, and `SignatureExpired` after its
    time.
    """

    async def describe(self, token: str) -> SignedObject:
        """Describe what ``token`` gives access to.

        Raises:
            ObjectNotFound: If the object is gone.
        """

    def open(self, token: str, byte_range: ByteRange | None = None) -> AbstractAsyncContextManager[SignedStream]:
        """Open what ``token`` gives access to, whole or in part. Raises on entering, as `ObjectStore.get` does."""


@frozen
class UploadTarget:
    """What an upload URL may write: the object, or the part of this ``number`` of a multipart upload."""

    key: str
    number: int | None = None


@runtime_checkable
class ServesSignedUrls(ServesDownloads, Protocol):
    """The store's signed upload URLs are ``/objects/{token}`` of our own API, too.

    A ``PUT`` calls `upload_target`, to ask whether the bytes are still wanted, then `accept`. Both raise for a bad
    token as in `ServesDownloads`.
    """

    def upload_target(self, token: str) -> UploadTarget:
        """Return what ``token`` may write. No I/O."""

    async def accept(
        self, token: str, data: AsyncIterable[bytes], *, content_type: str, content_length: int | None = None
    ) -> ObjectInfo:
        """Store the upload that ``token`` allows. A repetition with the same bytes returns the same; a failure leaves
        nothing.

        Args:
            content_length: The size that the client announced, if any. Too large a body is refused unread.

        Raises:
            TypeMismatch: If ``content_type`` is not the signed one.
            TooLarge: If more bytes come than were signed.
            SizeMismatch: If fewer bytes come than were signed.
            EmptyFile: If no byte comes.
            ChecksumMismatch: If the bytes do not have the signed SHA-256.
            PreconditionFailed: If other bytes are stored already.
        """


@frozen
class Part:
    """A part of a multipart upload. ``number`` counts from 1, ``size`` is in bytes."""

    number: int
    etag: str
    size: int


@frozen
class PartLimits:
    """A store's limits: bytes of a part (the last may be smaller than ``smallest``), and parts of an object."""

    smallest: int
    largest: int
    most: int


@runtime_checkable
class MultipartUploads(Protocol):
    """The store takes a large object in parts, which a client can send in any order and repeatedly.

    Nothing is under the key until `complete_multipart`. All methods raise `ObjectNotFound` for a multipart upload that
    does not exist, or was completed or aborted.
    """

    part_limits: PartLimits

    async def create_multipart(self, key: str, *, content_type: str) -> str:
        """Start a multipart upload and return the store's id for it."""

    async def presign_part(
        self, key: str, multipart_id: str, number: int, *, size: int, expires_at: datetime, total: int | None = None
    ) -> UploadRequest:
        """Sign a request that writes part ``number`` of exactly ``size`` bytes. No I/O.

        Args:
            total: The most bytes of all parts together. If given, the client chooses the sizes of parts, up to
                ``size``. A store that cannot enforce these limits leaves that to `complete_multipart`'s caller.
        """

    async def list_parts(self, key: str, multipart_id: str) -> list[Part]:
        """Return the stored parts by number. Of a part sent twice, the later one counts."""

    async def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[Part]) -> ObjectInfo:
        """Join exactly these parts, in this order, into the object. May be repeated.

        Raises:
            PreconditionFailed: If a part is missing or has another etag. The upload stays as it is.
        """

    async def abort_multipart(self, key: str, multipart_id: str) -> None:
        """Delete the upload and its parts. May be repeated."""


@runtime_checkable
class AppendsObjects(Protocol):
    """The store can let an object grow, which resumable uploads need.

    A growing object is not an object yet: ``head``, ``get`` and ``list`` do not show it until `finish_append`. The
    caller allows one writer at a time. After `finish_append` or `abort_append` the other methods raise
    `ObjectNotFound`.
    """

    async def begin_append(self, key: str, *, content_type: str) -> str:
        """Start a growing object and return the store's id for it."""

    async def append(
        self, key: str, append_id: str, data: AsyncIterable[bytes], *, offset: int, max_size: int | None = None
    ) -> int:
        """Write at ``offset``, which must be the current size. Returns the new size once it is durable.

        If ``data`` raises, or the call is cancelled, the durable part of what arrived is kept: see `appended`.

        Raises:
            PreconditionFailed: If the size is not ``offset``.
            TooLarge: As soon as the whole would exceed ``max_size`` bytes. Then nothing of this call is kept.
        """

    async def appended(self, key: str, append_id: str) -> int:
        """Return the number of durable bytes."""

    def read_appended(self, key: str, append_id: str) -> AsyncIterator[bytes]:
        """Yield the bytes so far, in chunks."""

    async def finish_append(self, key: str, append_id: str) -> ObjectInfo:
        """Turn it into the object ``key``. May be repeated."""

    async def abort_append(self, key: str, append_id: str) -> None:
        """Delete it. May be repeated."""


@runtime_checkable
class ClearsDrafts(Protocol):
    """The store can remove abandoned growing objects and parts itself. Others have a lifecycle rule for it."""

    async def clear_drafts(self, before: datetime) -> int:
        """Remove growing objects and parts last written before that time. Returns their number."""


@runtime_checkable
class DeletesMany(Protocol):
    """The store can delete many objects in few requests."""

    async def delete_many(self, keys: Sequence[str]) -> None:
        """Delete each key as `ObjectStore.delete` does. Tries all of them.

        Raises:
            Unavailable: If some could not be deleted.
        """


@runtime_checkable
class LocalObjects(Protocol):
    """Objects are local files, which a decoder can read in place."""

    def local_path(self, key: str) -> Path:
        """Return the path of ``key``. No I/O: call ``head`` first, which refuses links. The file may not exist."""


class TemporaryFiles(Protocol):
    """A place for files that must not outlive the process."""

    def directory(self) -> AbstractAsyncContextManager[Path]:
        """Make an empty private directory, removed on leaving. The next start removes those of a process that died."""
