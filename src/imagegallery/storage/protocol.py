"""What an object store must do, and what it may do besides.

``ObjectStore`` is the whole obligation of a backend: streams in, streams out, and three promises that the
rest of the system is built on:

* a ``put`` or ``promote`` is all or nothing: a reader sees the whole object or none, also after a crash;
* ``promote`` moves an object only if it is still the one that was checked, and may be repeated;
* ``delete`` of what is not there succeeds.

The other protocols are capabilities. A service asks ``isinstance(store, PresignsUploads)`` and does without
where the answer is no. `imagegallery.testing.storage.ObjectStoreSuite` proves a backend.
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
    """What a store knows of an object without reading it. ``size`` is in bytes; ``etag`` is opaque, unquoted,
    and differs whenever the bytes may differ."""

    key: str
    size: int
    etag: str
    modified_at: datetime


@frozen
class ByteRange:
    """Bytes ``start`` up to but not including ``stop`` (half-open, unlike HTTP's); ``0 <= start <= stop``."""

    start: int = field(validator=ge(0))
    stop: int = field()

    @stop.validator
    def _check_order(self, _attribute: object, stop: int) -> None:
        if stop < self.start:
            raise ValueError(f"A range cannot stop ({stop}) before it starts ({self.start}).")


@frozen
class ObjectStream:
    """An open object: what it is, and its bytes (or those of the range asked for) in chunks."""

    info: ObjectInfo
    chunks: AsyncIterator[bytes]


@runtime_checkable
class ObjectStore(Protocol):
    """Bytes under keys. Keys come from `imagegallery.storage.keys`: relative, ``/``-separated, never parsed.

    A key that breaks the rules of `imagegallery.storage.keys.check_key` raises `InvalidInput`.
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
        """Store the stream under ``key``, replacing what is there, and answer once it is durable.

        Raises `TooLarge` as soon as more than ``max_size`` bytes came, and `PreconditionFailed` with
        ``if_absent`` when the key is taken; in both cases, and when ``data`` raises, nothing is left behind.
        """

    def get(self, key: str, byte_range: ByteRange | None = None) -> AbstractAsyncContextManager[ObjectStream]:
        """Open the object for reading, whole or in part. Raises `ObjectNotFound` on entering.

        A range is clipped to the object's end.
        """

    async def head(self, key: str) -> ObjectInfo:
        """Raises `ObjectNotFound`."""

    async def promote(self, source: str, target: str, *, etag: str, content_type: str) -> ObjectInfo:
        """Move ``source`` to ``target`` if ``source`` still has ``etag``; nothing is ever overwritten.

        When ``source`` is gone and ``target`` is there, an earlier call did it: answers ``target``. When both are
        there and are the same object, an earlier call was cut short: finishes it. Raises `PreconditionFailed` when
        the etag differs or ``target`` is another object, and `ObjectNotFound` when both are missing.
        """

    async def delete(self, key: str) -> None:
        """Remove the object; removing what is not there is no error."""

    def list(self, prefix: str = "") -> AsyncIterator[ObjectInfo]:
        """Every object whose key starts with ``prefix``, in no promised order.

        An object that is stored or deleted meanwhile may be listed or not; all others are, once.
        """

    async def aclose(self) -> None:
        """Release connections and files; the store is not used afterwards."""


@frozen
class UploadRequest:
    """What a client must send, byte for byte, to bring its file in.

    ``url`` is absolute, or relative to the API's mount point. ``fields`` are form fields to send before the
    file (POST); ``headers`` are to be sent as they stand (PUT).
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(factory=dict)
    fields: Mapping[str, str] = field(factory=dict)


@runtime_checkable
class PresignsUploads(Protocol):
    """The store can let a client write one object, without credentials. No I/O."""

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
        """A request that can only write ``key``, with exactly this type, size and ``sha256`` (in hexadecimal).

        Any number of bytes but none will do where ``size`` is only the most that may come (not ``is_exact``). Sent
        again with the same bytes, it is answered as it was, for the answer may have been lost; with others it is
        refused, or, where the store cannot refuse that, the object's etag is then another.
        """


@runtime_checkable
class SignsDownloads(Protocol):
    """The store can let a client read one object for a while, without credentials. No I/O."""

    def sign_download(
        self,
        key: str,
        *,
        content_type: str,
        expires_at: datetime,
        download_as: str | None = None,
        method: ReadMethod = "GET",
    ) -> str:
        """A URL (absolute, or relative to the API's mount point) that reads ``key`` until ``expires_at``.

        With ``download_as``, the answer is an attachment of that file name. ``method`` is the one it is asked for with:
        stores that sign the method as well (S3) refuse a HEAD at a URL that was signed for GET.
        """


@frozen
class SignedObject:
    """What the bearer of a download URL may read, and how it is to be served.

    ``expires_at`` bounds how long the answer may be cached. ``download_as`` is a file name: serve an attachment.
    """

    info: ObjectInfo
    content_type: str
    expires_at: datetime
    download_as: str | None


@frozen
class SignedStream:
    """A `SignedObject`, open. Take the headers from here: the object may have changed since ``describe``."""

    object: SignedObject
    chunks: AsyncIterator[bytes]


@runtime_checkable
class ServesDownloads(Protocol):
    """Signed download URLs are ``/objects/{token}`` of our own API: something must serve them, through these.

    ``GET`` is `describe` (enough for ``HEAD``, 304 and resolving a range), then `open`. Both raise `SignatureInvalid`
    for a token that was altered or signed for the other direction, and `SignatureExpired` after its time, before
    anything else is looked at.
    """

    async def describe(self, token: str) -> SignedObject:
        """Raises `ObjectNotFound`."""

    def open(self, token: str, byte_range: ByteRange | None = None) -> AbstractAsyncContextManager[SignedStream]:
        """Open what ``token`` allows to read, whole or in part. Raises on entering, as `ObjectStore.get` does."""


@frozen
class UploadTarget:
    """What the bearer of an upload URL may write: the object, or the part of this ``number`` of a multipart upload."""

    key: str
    number: int | None = None


@runtime_checkable
class ServesSignedUrls(ServesDownloads, Protocol):
    """The store's signed upload URLs are ``/objects/{token}`` of our own API, too.

    ``PUT`` is `upload_target`, to ask whether the bytes are still awaited, then `accept`; both raise for a token as
    `ServesDownloads` says.
    """

    def upload_target(self, token: str) -> UploadTarget:
        """What ``token`` allows to write. No I/O."""

    async def accept(
        self, token: str, data: AsyncIterable[bytes], *, content_type: str, content_length: int | None = None
    ) -> ObjectInfo:
        """Store the upload that ``token`` allows, once; the same bytes again are answered as they were.

        ``content_length`` is what the client announced, if it did: too much is refused unread. Raises
        `TypeMismatch` when ``content_type`` is not the signed one, `TooLarge`, `SizeMismatch` for fewer bytes than were
        signed, `EmptyFile` for none, `ChecksumMismatch`, and `PreconditionFailed` when other bytes are there already.
        Nothing is left behind then.
        """


@frozen
class Part:
    """One part of a multipart upload; ``number`` counts from 1, ``size`` is in bytes."""

    number: int
    etag: str
    size: int


@frozen
class PartLimits:
    """What a store allows: bytes of a part (the last may be smaller than ``smallest``), and parts of an object."""

    smallest: int
    largest: int
    most: int


@runtime_checkable
class MultipartUploads(Protocol):
    """The store takes a large object in parts, each of which a client can send by itself, in any order, repeatedly.

    Nothing is under the key until `complete_multipart`. A multipart upload that is not there (never begun, aborted,
    completed) raises `ObjectNotFound`.
    """

    part_limits: PartLimits

    async def create_multipart(self, key: str, *, content_type: str) -> str:
        """Begin; answers the store's id for this multipart upload."""

    async def presign_part(
        self, key: str, multipart_id: str, number: int, *, size: int, expires_at: datetime, total: int | None = None
    ) -> UploadRequest:
        """A request that writes part ``number`` of exactly ``size`` bytes. No I/O.

        With ``total`` the client cuts the file as it likes: a part of fewer bytes is taken, too. Then all parts
        together may have ``total`` bytes, and a store that cannot see to that, or to ``size``, leaves it to whoever
        joins them.
        """

    async def list_parts(self, key: str, multipart_id: str) -> list[Part]:
        """The parts that are stored, by number; a part sent twice counts as it was sent last."""

    async def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[Part]) -> ObjectInfo:
        """Put the object together of exactly these parts, in this order. May be repeated: answers the object.

        Raises `PreconditionFailed` when a part is missing or has another etag; the upload stays as it is.
        """

    async def abort_multipart(self, key: str, multipart_id: str) -> None:
        """Forget the upload and its parts; repeating it is no error."""


@runtime_checkable
class AppendsObjects(Protocol):
    """The store can let an object grow, which is what resumable uploads over HTTP need.

    What grows is no object yet: ``head``, ``get`` and ``list`` show nothing under the key until `finish_append`. One
    writer at a time: the caller keeps others off. After `finish_append` or `abort_append` the rest raise
    `ObjectNotFound`.
    """

    async def begin_append(self, key: str, *, content_type: str) -> str:
        """Begin; answers the store's id for what grows."""

    async def append(
        self, key: str, append_id: str, data: AsyncIterable[bytes], *, offset: int, max_size: int | None = None
    ) -> int:
        """Write at ``offset``, which must be the size so far; answers the new size, once that is durable.

        Bytes that came before ``data`` raised, or before a cancellation, are kept as far as they are durable: see
        `appended`. Raises `PreconditionFailed` when the size is another than ``offset``, and `TooLarge` as soon as the
        whole would exceed ``max_size`` bytes: then nothing of this call is kept.
        """

    async def appended(self, key: str, append_id: str) -> int:
        """How many bytes are durable."""

    def read_appended(self, key: str, append_id: str) -> AsyncIterator[bytes]:
        """The bytes so far, in chunks."""

    async def finish_append(self, key: str, append_id: str) -> ObjectInfo:
        """Make it an object under ``key``. May be repeated: answers the object."""

    async def abort_append(self, key: str, append_id: str) -> None:
        """Forget it; repeating it is no error."""


@runtime_checkable
class ClearsDrafts(Protocol):
    """The store can remove by itself what grows, or comes in parts, and was forgotten (others have a rule for it)."""

    async def clear_drafts(self, before: datetime) -> int:
        """Remove what grows, or comes in parts, and was last written to before then; answers how many."""


@runtime_checkable
class DeletesMany(Protocol):
    """The store can delete many objects in few requests."""

    async def delete_many(self, keys: Sequence[str]) -> None:
        """Like `ObjectStore.delete` of each; raises `Unavailable` if some could not be, after trying all."""


@runtime_checkable
class LocalObjects(Protocol):
    """The objects are files here: a decoder can read them where they lie."""

    def local_path(self, key: str) -> Path:
        """The file that holds ``key``; it may not exist. No I/O: ``head`` it first, which refuses links."""


class TemporaryFiles(Protocol):
    """Where a use case may put files that must not outlive the process."""

    def directory(self) -> AbstractAsyncContextManager[Path]:
        """A fresh, private directory, removed on leaving; a dead process's are removed at the next start."""
