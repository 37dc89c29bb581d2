"""The rules of resumable uploads, common to tus and the IETF draft. Pure."""

import json
from collections.abc import Sequence
from uuid import UUID, uuid5

from attrs import frozen

from imagegallery.errors import (
    LengthMismatch,
    OffsetMismatch,
    TooLarge,
    UploadIncomplete,
)
from imagegallery.uploads.session.session import Concatenation, UploadSession, UploadState

_FINAL = UUID("5f0c3a52-6f0e-4b7e-9f0b-3d1b6f0a7c44")  # a namespace of our own (RFC 9562 section 6.6)


@frozen
class UploadChecksum:
    """``sha1``, ``sha256`` or ``sha512``, and the raw digest of the bytes.

    tus requires SHA-1; it protects against accidents, not against people.
    """

    algorithm: str
    digest: bytes


@frozen
class UploadPiece:
    """The content of one request: bytes from ``offset`` on.

    ``announced`` is their number, if the client sent it. ``length`` is the whole upload's, if this request has it. With
    ``completes`` the client says that nothing follows. With ``checksums`` only correct bytes are kept. A complete
    upload accepts a piece without bytes if it ``may_repeat``, because a response was lost (tus).
    """

    offset: int
    announced: int | None = None
    length: int | None = None
    completes: bool = False
    may_repeat: bool = True
    checksums: tuple[UploadChecksum, ...] = ()


def has_all(session: UploadSession) -> bool:
    """Whether all bytes have arrived."""
    return session.state in (UploadState.UPLOADED, UploadState.COMPLETED)


def is_whole(session: UploadSession, *, completes: bool) -> bool:
    """Whether the request that brought the session here is the last: because it says so, or because the length is
    reached, if that is enough
    (tus; not the draft, section "Length").
    """
    counts = session.completes_itself or session.concatenation is Concatenation.PARTIAL
    return completes or (counts and session.received == session.size)


def has_arrived(session: UploadSession, *, completes: bool) -> bool:
    """Whether it is whole, and as long as declared."""
    return is_whole(session, completes=completes) and session.received > 0 and session.size in (None, session.received)


def declared_length(session: UploadSession, piece: UploadPiece) -> int | None:
    """The whole length in a request, given in one way or two (draft, section "Length").

    Raises `LengthMismatch` if they differ from each other or from the known one.
    """
    reached = None if piece.announced is None else piece.offset + piece.announced
    told = {length for length in (piece.length, reached if piece.completes else None) if length is not None}
    if len(told | ({session.size} if session.size is not None else set())) > 1:
        raise LengthMismatch("The length of this upload was told differently before, or twice.")
    length = next(iter(told), None)
    if length is not None and length < session.received:
        raise LengthMismatch(f"{session.received:,} bytes have arrived already.")
    return length


def check_offset(session: UploadSession, offset: int) -> None:
    """Raise `OffsetMismatch` unless the bytes continue what has arrived."""
    if offset != session.received:
        raise OffsetMismatch(session.received, offset)


def check_announced(piece: UploadPiece, limit: int) -> None:
    """Raise `TooLarge` for a request that announces more than ``limit`` bytes in total, before it sends any."""
    if piece.announced is not None and piece.offset + piece.announced > limit:
        raise TooLarge(f"More than the {limit:,} bytes that may come.", limit=limit)


def final_id(owner_id: str, partial_ids: Sequence[UUID]) -> UUID:
    """The id of this owner's final upload of these partial ones, in this order: a UUIDv5 (RFC 9562 section 5.5)."""
    return uuid5(_FINAL, json.dumps([owner_id, *map(str, partial_ids)]))


def check_parts(sessions: list[UploadSession], max_size: int) -> None:
    """Raise `UploadIncomplete` unless all are partial uploads that have arrived, and `TooLarge` for their sum."""
    for session in sessions:
        if session.concatenation is not Concatenation.PARTIAL or not has_all(session):
            raise UploadIncomplete("Only partial uploads that have all their bytes can be concatenated.")
    size = sum(session.received for session in sessions)
    if size > max_size:
        raise TooLarge(f"The file is larger than {max_size:,} bytes.", limit=max_size)
