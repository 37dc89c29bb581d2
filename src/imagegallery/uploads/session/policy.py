"""What may be uploaded: the uploads package's options, the decision on one declaration, and the one rule of what kind
of file an upload brings. Pure.

A file is what its client declares, else what its name's extension says, else what its first bytes say; and in the end,
the bytes decide: a good picture that was declared as another kind is taken as what it is, unless the policy is
``strict``.
"""

from datetime import timedelta
from enum import StrEnum

from attrs import evolve, field, frozen, validators

from imagegallery.access.audience import Visibility
from imagegallery.common.meta import Meta, check_meta
from imagegallery.common.validation import SHA256_BYTES, Faults, as_choice
from imagegallery.errors import (
    EmptyFile,
    Fault,
    InvalidInput,
    QuotaExceeded,
    TooLarge,
    TooManyUploads,
    TypeMismatch,
    UnsupportedType,
)
from imagegallery.images.image.filename import type_of_extension
from imagegallery.imaging.signature import is_as_declared
from imagegallery.policies.policy import OnDuplicate as OnDuplicate
from imagegallery.policies.policy import OnDuplicateLike, check_types

WEB_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/avif")
HEIF_TYPES = ("image/heic", "image/heif")
UNKNOWN_TYPE = "application/octet-stream"
"""The type of a file whose first bytes will tell."""

# Types from clients that do not know it, and types of pieces of a file.
_UNTYPED = frozenset(
    {"", UNKNOWN_TYPE, "binary/octet-stream", "application/offset+octet-stream", "application/partial-upload"}
)

# Names that browsers and cameras use for types that have another, registered one.
_ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "image/heic-sequence": "image/heic",
    "image/heif-sequence": "image/heif",
}


class Verify(StrEnum):
    """How much of a file is looked at before ``complete`` answers: all of it, or its head; then the first job looks at
    the rest."""

    FULL = "full"
    HEAD = "head"


def _checked_meta(meta: Meta) -> Meta:
    faults = Faults()
    checked = check_meta(faults, ("body", "meta"), meta)
    faults.check()
    return checked


def _checked_visibility(visibility: Visibility | str) -> Visibility:
    return as_choice(("body", "visibility"), visibility, Visibility)


def _checked_on_duplicate(wanted: OnDuplicateLike | None) -> OnDuplicate | None:
    return None if wanted is None else as_choice(("body", "on_duplicate"), wanted, OnDuplicate)


@frozen
class Declaration:
    """What a client announces. ``size`` is in bytes, ``None`` if unknown; ``sha256`` is the raw digest, if known;
    ``on_duplicate`` is ``None`` if not given. ``meta`` and ``visibility`` are the image's. Raises `InvalidInput` for
    these three.
    """

    content_type: str
    size: int | None
    sha256: bytes | None = None
    on_duplicate: OnDuplicate | None = field(default=None, converter=_checked_on_duplicate)
    meta: Meta = field(factory=dict, converter=_checked_meta)
    visibility: Visibility = field(default=Visibility.PRIVATE, converter=_checked_visibility)


@frozen
class StorageUse:
    """An owner's storage in bytes: of images (``used``), the ``limit``, and what open uploads reserve (``awaited``);
    the number of ``open`` uploads, and
    its limit (``max_open``). ``limit`` is ``None`` for any amount.
    """

    used: int
    limit: int | None
    awaited: int
    open: int
    max_open: int


@frozen
class UploadPolicy:
    """The limits of one upload, and how long a session lives.

    ``max_size`` and ``storage_limit`` are in bytes; ``storage_limit`` applies to every owner without a limit of their
    own (``None``: no limit). One owner may have ``max_open`` open sessions, and all who add by one share
    ``max_open_by_share``. A file of more than ``parts_threshold`` bytes is sent in parts of ``part_size`` bytes, if the
    store accepts parts. A session can be used for ``session_lifetime``; its row, which lets ``complete`` be repeated,
    is deleted ``session_retention`` later.
    What an application staged can be attached for ``staged_lifetime``.
    ``on_duplicate`` applies to uploads without a choice of their own for a file that their owner has already:
    ``keep_both``, ``reject`` or ``return_existing``. A picture of another type than its client or its name says is
    accepted as what it is; ``strict`` refuses it. HEIC and HEIF need the extra ``heic``. ``verify`` says how much of a
    file is checked before ``complete`` responds: ``full`` decodes it once; ``head`` reads its type and size in pixels
    from its first bytes, and a picture that proves to be bad later ends as ``failed`` (``None``: ``full`` if the
    store's files are here, ``head`` if they would have to be fetched).
    """

    allowed_types: tuple[str, ...] = field(default=WEB_TYPES + HEIF_TYPES, validator=check_types)
    max_size: int = field(default=50_000_000, validator=validators.gt(0))
    parts_threshold: int = field(default=16 * 1024 * 1024, validator=validators.ge(0))
    part_size: int = field(default=8 * 1024 * 1024, validator=validators.gt(0))
    session_lifetime: timedelta = field(default=timedelta(hours=1), validator=validators.gt(timedelta(0)))
    staged_lifetime: timedelta = field(default=timedelta(days=1), validator=validators.gt(timedelta(0)))
    session_retention: timedelta = field(default=timedelta(days=1), validator=validators.ge(timedelta(0)))
    storage_limit: int | None = field(default=None, validator=validators.optional(validators.ge(0)))
    max_open: int = field(default=1_000, validator=validators.ge(1))
    max_open_by_share: int = field(default=100, validator=validators.ge(1))
    on_duplicate: OnDuplicate = OnDuplicate.KEEP_BOTH
    strict: bool = False
    verify: Verify | None = None

    def check(self, declaration: Declaration) -> Declaration:
        """Return the declaration with its type in canonical form, if this policy allows it.

        Raises `InvalidInput` for a negative size or a digest of the wrong length, then `UnsupportedType`, `EmptyFile`
        or `TooLarge`.
        """
        if faults := tuple(_faults(declaration)):
            raise InvalidInput("The upload cannot be what it declares.", faults)
        content_type = self.check_type(declaration.content_type)
        if declaration.size is not None:
            self.check_size(declaration.size)
        return evolve(declaration, content_type=content_type)

    def check_type(self, declared: str) -> str:
        """The canonical name of the declared type, if any. Raises `UnsupportedType` unless it is allowed."""
        content_type = canonical_type(declared)
        if content_type not in (*self.allowed_types, UNKNOWN_TYPE):
            raise UnsupportedType(f"Only these types can be uploaded: {', '.join(self.allowed_types)}.")
        return content_type

    def check_size(self, size: int) -> None:
        """Raise `EmptyFile` or `TooLarge`."""
        if size == 0:
            raise EmptyFile("The file is empty.")
        if size > self.max_size:
            raise TooLarge(f"The file is larger than {self.max_size:,} bytes.", limit=self.max_size)

    def check_found(self, content_type: str, size: int) -> None:
        """Raise `TypeMismatch`, `EmptyFile` or `TooLarge` for a file that proved to be this."""
        self.check_size(size)
        if content_type not in self.allowed_types:
            raise _not_allowed(content_type, self)

    def check_open(self, count: int) -> None:
        """Raise `TooManyUploads` if an owner has too many open sessions."""
        if count > self.max_open:
            raise TooManyUploads(f"Only {self.max_open:,} uploads can be open at once.", limit=self.max_open)

    def limit_of(self, own_limit: int | None) -> int | None:
        """The limit, in bytes, of an owner with this one of their own, if any."""
        return self.storage_limit if own_limit is None else own_limit

    def check_storage(self, used: int, own_limit: int | None) -> None:
        """Raise `QuotaExceeded` if an owner's ``used`` bytes exceed their limit, or without one the policy's."""
        limit = self.limit_of(own_limit)
        if limit is not None and used > limit:
            raise QuotaExceeded(f"Storage is limited to {limit:,} bytes, and this file does not fit.", limit=limit)


def canonical_type(declared: str) -> str:
    """A media type in lower case, without parameters (RFC 9110 section 8.3.1), under its registered name."""
    bare = declared.partition(";")[0].strip().lower()
    return _ALIASES.get(bare, bare)


def declared_type(declared: str | None, filename: str | None) -> str:
    """The declared media type in canonical form, otherwise the extension's, otherwise `UNKNOWN_TYPE`."""
    content_type = canonical_type(declared or "")
    if content_type not in _UNTYPED:
        return content_type
    return type_of_extension(filename or "") or UNKNOWN_TYPE


def actual_type(declared: str, sniffed: str | None, policy: UploadPolicy) -> str:
    """The type of a file, from what was ``declared`` and what its first bytes show.

    Raises `TypeMismatch` for a file that is no image, or none that ``policy`` allows, or, if it is ``strict``, another
    one than declared.
    """
    if sniffed is not None and is_as_declared(declared, sniffed):
        return declared
    if sniffed is None or (policy.strict and declared != UNKNOWN_TYPE):
        found = sniffed or "no image of a known type"
        said = "" if declared == UNKNOWN_TYPE else f"was declared {declared} and "
        raise TypeMismatch(f"The file {said}is {found}.")
    if sniffed not in policy.allowed_types:
        raise _not_allowed(sniffed, policy)
    return sniffed


def _not_allowed(content_type: str, policy: UploadPolicy) -> TypeMismatch:
    return TypeMismatch(f"The file is {content_type}; only these can be uploaded: {', '.join(policy.allowed_types)}.")


def _faults(declaration: Declaration) -> list[Fault]:
    faults = []
    if declaration.size is not None and declaration.size < 0:
        faults.append(Fault(("body", "size"), "must not be negative"))
    if declaration.sha256 is not None and len(declaration.sha256) != SHA256_BYTES:
        faults.append(Fault(("body", "sha256"), f"must be a SHA-256 digest of {SHA256_BYTES} bytes"))
    return faults
