"""Messages between parent and decoder process: JSON in length-prefixed frames, over stdin and stdout. Pure.

Files are not in messages: they accompany a request as open descriptors, the input first, then one for each rendition.

A file may have taken over its decoder. So the parent trusts nothing in a response: it checks every value's type, range
and length here, and anything else is a `ProtocolError`.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

import attrs
from attrs import frozen

from imagegallery.imaging.protocol import Colours, FileWords, Inspection, Notes, Pixels, Removal, Rendition

MAX_FRAME = 2 * 1024**2
MAX_EXIF = 1024**2
MAX_SIDE = 1_000_000
MAX_NOTES = 10
MAX_NOTE = 300
"""Characters of one note."""
MAX_WORDS = 200
MAX_TEXT = 5_000
"""Characters of one text among a file's words."""
PREFIX_SIZE = 4
MAX_DESCRIPTORS = 253
"""With one message: SCM_MAX_FD, see unix(7)."""

WireMessage = Mapping[str, object]


class ProtocolError(Exception):
    """The other side sent nonsense."""


class Wall(StrEnum):
    """What protects the machine from a decoder, if the kernel supports it: for files, and for system calls."""

    FILES = "files"
    CALLS = "calls"


@frozen
class MeasureRequest:
    """A `Measurement`: its ``function`` is ``module:name``."""

    name: str
    function: str
    pixels: Pixels


@frozen
class Request:
    """A request: inspect (``decode`` says how deeply), ``render``, copy without metadata (``removal``), or read a
    sidecar (``is_sidecar``)."""

    content_type: str
    render: bool = False
    renditions: tuple[Rendition, ...] = ()
    measurements: tuple[MeasureRequest, ...] = ()
    decode: bool = True
    removal: Removal | None = None
    is_sidecar: bool = False


@frozen
class RenderReply:
    """One file that the decoder made: pixels of one frame, and frames."""

    width: int
    height: int
    frames: int


@frozen
class RenderAnswer:
    """One `RenderReply` per rendition, in the order of the request, and measurements by name."""

    made: tuple[RenderReply, ...]
    measured: Mapping[str, object]
    is_truncated: bool = False


@frozen
class FaultAnswer:
    """``kind`` is a `BadImage` reason, ``type_mismatch`` or ``unavailable``."""

    kind: str
    message: str


FAULT_KINDS = frozenset(
    {
        "type_mismatch",
        "unavailable",
        "undecodable",
        "unsupported",
        "truncated",
        "too_many_pixels",
        "too_many_frames",
        "too_many_scans",
        "decoder_missing",
        "decoder_out_of_memory",
        "rendering_empty",
    }
)


def frame(message: WireMessage) -> bytes:
    """A message as bytes: four bytes of length, most significant first, then JSON."""
    body = json.dumps(message).encode()
    return len(body).to_bytes(PREFIX_SIZE, "big") + body


def body_length(prefix: bytes) -> int:
    """The length that a frame's prefix announces. Raises `ProtocolError`."""
    length = int.from_bytes(prefix, "big")
    if length > MAX_FRAME:
        raise ProtocolError("frame too long")
    return length


def unframe(body: bytes) -> WireMessage:
    """The message in a frame's body. Raises `ProtocolError`."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("not JSON") from error
    return _read_mapping(message)


def ready_message(walls: frozenset[Wall]) -> WireMessage:
    """A decoder's first message."""
    return {"walls": sorted(walls)}


def read_ready(message: WireMessage) -> frozenset[Wall]:
    """Read the walls. Raises `ProtocolError`."""
    try:
        return frozenset(Wall(str(each)) for each in _sequence(message, "walls"))
    except ValueError as error:
        raise ProtocolError("walls") from error


def request_message(request: Request) -> WireMessage:
    return {
        "content_type": request.content_type,
        "render": request.render,
        "renditions": [attrs.asdict(rendition) for rendition in request.renditions],
        "measurements": [attrs.asdict(measurement) for measurement in request.measurements],
        "decode": request.decode,
        "removal": request.removal,
        "is_sidecar": request.is_sidecar,
    }


def read_request(message: WireMessage) -> Request:
    """A request as the decoder reads it, trusting its parent."""
    return Request(
        content_type=_text(message, "content_type"),
        render=message["render"] is True,
        # The parent made the message from renditions.
        renditions=tuple(Rendition(**_read_mapping(each)) for each in _sequence(message, "renditions")),  # type: ignore[arg-type]
        measurements=tuple(map(_measurement, _sequence(message, "measurements"))),
        decode=message["decode"] is True,
        removal=None if message["removal"] is None else Removal(_text(message, "removal")),
        is_sidecar=message["is_sidecar"] is True,
    )


def _measurement(value: object) -> MeasureRequest:
    message = _read_mapping(value)
    pixels = _read_mapping(message["pixels"])
    asked = Pixels(_count(pixels, "side"), _count(pixels, "comfortable_side"), Colours(_text(pixels, "colours")))
    return MeasureRequest(_text(message, "name"), _text(message, "function"), asked)


def inspection_message(inspection: Inspection) -> WireMessage:
    return {
        "width": inspection.width,
        "height": inspection.height,
        "frames": inspection.frames,
        "exif": base64.b64encode(inspection.exif).decode(),
        "notes": attrs.asdict(inspection.notes),
        "is_truncated": inspection.is_truncated,
    }


def read_inspection(message: WireMessage, *, content_type: str) -> Inspection:
    """Read it. Raises `ProtocolError`."""
    try:
        exif = base64.b64decode(_text(message, "exif"), validate=True)
    except ValueError as error:
        raise ProtocolError("exif") from error
    return Inspection(
        content_type=content_type,
        width=_count(message, "width"),
        height=_count(message, "height"),
        frames=_count(message, "frames"),
        exif=exif,
        notes=_notes(_read_mapping(message.get("notes"))),
        is_truncated=_flag(message, "is_truncated"),
    )


def render_message(answer: RenderAnswer) -> WireMessage:
    made = [attrs.asdict(made) for made in answer.made]
    return {"made": made, "measured": answer.measured, "is_truncated": answer.is_truncated}


def read_rendered(message: WireMessage, *, count: int, accepts: Mapping[str, Callable[[object], bool]]) -> RenderAnswer:
    """Read it. Raises `ProtocolError` unless ``count`` files were made and everything was measured that ``accepts``
    names."""
    made = tuple(
        RenderReply(_count(each, "width"), _count(each, "height"), _count(each, "frames"))
        for each in map(_read_mapping, _sequence(message, "made"))
    )
    measured = _read_mapping(message.get("measured"))
    if len(made) != count:
        raise ProtocolError("made")
    if measured.keys() != accepts.keys() or not all(accepts[name](data) for name, data in measured.items()):
        raise ProtocolError("measured")
    return RenderAnswer(made, measured, _flag(message, "is_truncated"))


def removal_message() -> WireMessage:
    """Without metadata: the copy is written."""
    return {"removed": True}


def read_removed(message: WireMessage) -> None:
    """Raises `ProtocolError` unless it is that."""
    if not _flag(message, "removed"):
        raise ProtocolError("removed")


def words_message(words: FileWords) -> WireMessage:
    return {"words": attrs.asdict(words)}


def read_words(message: WireMessage) -> FileWords:
    """Read them. Raises `ProtocolError`."""
    return _words(_read_mapping(message.get("words")))


def fault_message(fault: FaultAnswer) -> WireMessage:
    return {"fault": fault.kind, "message": fault.message}


def read_fault(message: WireMessage) -> FaultAnswer | None:
    """The fault in a response, or ``None`` for a result. Raises `ProtocolError`."""
    if "fault" not in message:
        return None
    kind, text = _text(message, "fault"), _text(message, "message")
    if kind not in FAULT_KINDS or len(text) > 300 or not text.isprintable():
        raise ProtocolError("fault")
    return FaultAnswer(kind, text)


def _read_mapping(value: object) -> WireMessage:
    if not isinstance(value, dict):
        raise ProtocolError("not an object")
    return value


def _notes(message: WireMessage) -> Notes:
    names = {attribute.name for attribute in attrs.fields(Notes)} - {"words"}
    words = _words(_read_mapping(message.get("words")))
    return Notes(**{name: _texts(message, name, MAX_NOTES, MAX_NOTE) for name in names}, words=words)


def _words(message: WireMessage) -> FileWords:
    return FileWords(**{each.name: _texts(message, each.name, MAX_WORDS, MAX_TEXT) for each in attrs.fields(FileWords)})


def _texts(message: WireMessage, key: str, most: int, longest: int) -> tuple[str, ...]:
    texts = _sequence(message, key)
    if len(texts) > most or not all(isinstance(text, str) and len(text) <= longest for text in texts):
        raise ProtocolError(key)
    return tuple(map(str, texts))


def _sequence(message: WireMessage, key: str) -> Sequence[object]:
    value = message.get(key)
    if not isinstance(value, list):
        raise ProtocolError(key)
    return value


def _text(message: WireMessage, key: str) -> str:
    value = message.get(key)
    if not isinstance(value, str):
        raise ProtocolError(key)
    return value


def _flag(message: WireMessage, key: str) -> bool:
    value = message.get(key)
    if not isinstance(value, bool):
        raise ProtocolError(key)
    return value


def _count(message: WireMessage, key: str) -> int:
    value = message.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_SIDE:
        raise ProtocolError(key)
    return value
