"""An upload session and its life, as a table of transitions. Pure.

`docs/explanation/upload-sessions.md` shows the diagram that `mermaid` draws of the same table.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

import attrs
from attrs import field, frozen

from imagegallery.access.audience import Visibility
from imagegallery.access.decision import Facts
from imagegallery.common.meta import Meta
from imagegallery.contributions.contribution import ShareSender
from imagegallery.errors import Conflict, ImageGalleryError, UploadEnded, UploadExpired, UploadIncomplete
from imagegallery.imaging.protocol import Removal
from imagegallery.storage.keys import original_key
from imagegallery.storage.protocol import UploadRequest
from imagegallery.uploads.session.found_picture import StagedFile
from imagegallery.uploads.session.part_plan import PartPlan, SignedPart
from imagegallery.uploads.session.policy import OnDuplicate
from imagegallery.uploads.session.rejection import Rejection


class UploadState(StrEnum):
    PENDING = "pending"
    UPLOADING = "uploading"
    UPLOADED = "uploaded"
    COMPLETED = "completed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def is_ended(self) -> bool:
        return self in _ENDED


class UploadEvent(StrEnum):
    """What happens to a session: bytes begin to arrive, all have arrived, they became an image, they were rejected,
    the owner cancelled, the time ran out."""

    BEGIN = "begin"
    ARRIVE = "arrive"
    COMPLETE = "complete"
    REJECT = "reject"
    CANCEL = "cancel"
    EXPIRE = "expire"


class Transport(StrEnum):
    """How the bytes travel: ``simple``, one request to the store; ``service``, through this service; ``parts``, in
    parts to the store; ``resumable``, in
    pieces through this service (tus, IETF).
    """

    SIMPLE = "simple"
    SERVICE = "service"
    PARTS = "parts"
    RESUMABLE = "resumable"


class Concatenation(StrEnum):
    """tus concatenation: a ``partial`` upload becomes no image by itself, a ``final`` one is made of partial ones."""

    PARTIAL = "partial"
    FINAL = "final"


_ENDED = frozenset({UploadState.COMPLETED, UploadState.REJECTED, UploadState.EXPIRED, UploadState.CANCELLED})
_TO_AN_END = {
    UploadEvent.REJECT: UploadState.REJECTED,
    UploadEvent.CANCEL: UploadState.CANCELLED,
    UploadEvent.EXPIRE: UploadState.EXPIRED,
}

# Other events are refused. An event that leads from an end state to itself is a harmless repetition.
TRANSITIONS: Mapping[UploadState, Mapping[UploadEvent, UploadState]] = MappingProxyType(
    {
        UploadState.PENDING: {
            UploadEvent.BEGIN: UploadState.UPLOADING,
            UploadEvent.ARRIVE: UploadState.UPLOADED,
            **_TO_AN_END,
        },
        UploadState.UPLOADING: {
            UploadEvent.BEGIN: UploadState.UPLOADING,  # a new attempt after an interrupted one
            UploadEvent.ARRIVE: UploadState.UPLOADED,
            **_TO_AN_END,
        },
        UploadState.UPLOADED: {
            UploadEvent.ARRIVE: UploadState.UPLOADED,
            UploadEvent.COMPLETE: UploadState.COMPLETED,
            **_TO_AN_END,
        },
        UploadState.COMPLETED: {UploadEvent.COMPLETE: UploadState.COMPLETED},
        UploadState.REJECTED: {UploadEvent.CANCEL: UploadState.REJECTED},
        UploadState.EXPIRED: {UploadEvent.CANCEL: UploadState.EXPIRED, UploadEvent.EXPIRE: UploadState.EXPIRED},
        UploadState.CANCELLED: {UploadEvent.CANCEL: UploadState.CANCELLED},
    }
)


def advance(state: UploadState, event: UploadEvent) -> UploadState:
    """The state after ``event``.

    Raises `UploadExpired` or `UploadEnded` if the session is over, `UploadIncomplete` for a completion before the bytes
    are there and `Conflict` for bytes that begin to arrive twice.
    """
    following = TRANSITIONS[state].get(event)
    if following is None:
        raise _refusal(state, event)
    return following


def _refusal(state: UploadState, event: UploadEvent) -> ImageGalleryError:
    if state is UploadState.EXPIRED:
        return UploadExpired("This upload's time is over; start a new one.")
    if state is UploadState.COMPLETED:
        return UploadEnded("This upload has become an image.")
    if state.is_ended:
        return UploadEnded(f"This upload was {state}; start a new one.")
    if event is UploadEvent.COMPLETE:
        return UploadIncomplete("The file has not arrived yet.")
    return Conflict("The file of this upload has already arrived; complete it.")


@frozen
class UploadSession:
    """One attempt to bring one file in.

    ``size`` is in bytes, as declared (``None``: not known yet); ``key_prefix`` is the folder of the image it may
    become. The image's id and keys are settled at the start, so that a completion cut short anywhere can be repeated
    and cleaned up after. ``request``, what the client has to send, is there in the answer to ``create`` when the store
    takes bytes directly; ``part_requests`` instead where the file goes up in parts: the first of them. ``reserved`` is
    how many bytes are kept for a file of unknown size that goes to the store by itself (``None``: nothing is kept, or
    the owner has no limit), ``received`` counts the bytes that are durable (resumable), ``multipart_id`` is the store's
    own name for an object that arrives in parts or grows, ``part_size`` the bytes of each part but the last,
    ``wire_metadata`` and ``wire_concatenation`` what a tus client said of the upload, to the letter. With
    ``completes_itself`` nobody has to call ``complete``: the last byte does. ``on_duplicate`` is what the uploader said
    is to become of a file that is in already, ``is_duplicate`` says that it was, and that nothing of what this session
    brought is kept; if the image that was there was answered, that is the ``future_image_id`` from then on.
    ``found_type`` is what the file is, where that is not what its client declared; ``removed_metadata`` is what a copy
    was made without that may lie at ``original_key``; ``received_sha256`` was taken on the
    way, of a file that came through this service in one request. ``meta`` and ``visibility`` are for the image,
    ``policy`` is the name of the one that it is under; ``asks_application``: code of the application decides, too.
    ``staged`` is what was found in a file that waits to be attached, where its image's original will be. ``sender`` is
    who adds it to the owner's gallery, by a share; ``None``: the owner does.
    """

    id: UUID
    owner_id: str
    gallery_id: UUID | None
    transport: Transport
    state: UploadState
    filename: str
    content_type: str
    size: int | None
    sha256: bytes | None
    incoming_key: str
    key_prefix: str
    future_image_id: UUID
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    rejection: Rejection | None = None
    request: UploadRequest | None = None
    part_requests: tuple[SignedPart, ...] = ()
    reserved: int | None = None
    received: int = 0
    multipart_id: str | None = None
    part_size: int | None = None
    wire_metadata: str | None = None
    concatenation: Concatenation | None = None
    wire_concatenation: str | None = None
    completes_itself: bool = False
    on_duplicate: OnDuplicate | None = None
    is_duplicate: bool = False
    found_type: str | None = None
    removed_metadata: Removal | None = None
    received_sha256: bytes | None = None
    meta: Meta = field(factory=dict, hash=False)
    visibility: Visibility = Visibility.PRIVATE
    staged: StagedFile | None = None
    policy: str | None = None
    asks_application: bool = False
    sender: ShareSender | None = None

    def __repr__(self) -> str:
        return f"<UploadSession {self.id} {self.filename!r} {self.state}>"

    @property
    def facts(self) -> Facts:
        """The facts to decide access by: it is its owner's, and of who sends it."""
        return Facts(self.owner_id, contributor=None if self.sender is None else self.sender.contributor)

    @property
    def file_type(self) -> str:
        """The file's type, as far as known."""
        return self.found_type or self.content_type

    @property
    def came(self) -> tuple[int | None, bytes | None]:
        """The size and the SHA-256 of what came, as far as they are known, whatever is kept of it."""
        arrived = None if self.staged is None else self.staged.arrived
        return (self.size, self.received_sha256) if arrived is None else (arrived.size, arrived.sha256)

    @property
    def image_id(self) -> UUID | None:
        """The image of this upload, if it has become one."""
        return self.future_image_id if self.state is UploadState.COMPLETED else None

    @property
    def ends_on_arrival(self) -> bool:
        """Whether the request with the bytes is the client's last."""
        return self.completes_itself and self.transport is Transport.SIMPLE

    @property
    def part_plan(self) -> PartPlan | None:
        """How the file is cut into parts, if we decide."""
        return PartPlan(self.size, self.part_size) if self.size and self.part_size else None

    @property
    def original_key(self) -> str:
        """The key of the image's original."""
        return original_key(self.key_prefix, self.file_type)

    def at(self, now: datetime) -> "UploadSession":
        """The session as it is at ``now``: expired after its time, even before the sweeper has ended it."""
        if self.state.is_ended or now < self.expires_at:
            return self
        return attrs.evolve(self, state=advance(self.state, UploadEvent.EXPIRE))


def raise_if_over(session: UploadSession) -> None:
    """Raise what ended the session, unless nothing did or it became an image."""
    if session.rejection is not None:
        raise session.rejection.error()
    if session.state is not UploadState.COMPLETED:
        advance(session.state, UploadEvent.ARRIVE)


def mermaid() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {UploadState.PENDING}"]
    for state, transitions in TRANSITIONS.items():
        lines += [f"    {state} --> {following}: {event}" for event, following in transitions.items()]
    lines += [f"    {state} --> [*]" for state in UploadState if state.is_ended]
    return "\n".join(lines) + "\n"
