"""``multipart/form-data`` (RFC 7578) with one file, read as a stream: at most a chunk is in memory."""

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator
from enum import Enum

from attrs import define, field, frozen
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from imagegallery import TooLarge
from imagegallery.errors import Fault
from imagegallery_asgi.api.requests import FormFields
from imagegallery_asgi.framework.errors import MalformedRequest
from imagegallery_asgi.framework.headers import disposition_filename, parameters
from imagegallery_asgi.framework.parsing import invalid, parse_pairs, raise_faults

FILE_FIELD = "file"
MAX_FIELD_BYTES = 64_000
MAX_PARTS = 20
_MAX_BOUNDARY = 70  # RFC 2046 section 5.1.1


@frozen
class PartBegin:
    """The head of a part, its headers by lower-case name."""

    headers: dict[str, str]

    @property
    def name(self) -> str:
        return parameters(self.headers.get("content-disposition", "")).get("name", "")

    @property
    def filename(self) -> str | None:
        return disposition_filename(self.headers.get("content-disposition"))

    @property
    def is_file(self) -> bool:
        return self.name == FILE_FIELD or self.filename is not None


class End(Enum):
    PART = "part"
    FORM = "form"


FormEvent = PartBegin | bytes | End


async def read_events(chunks: AsyncIterable[bytes], content_type: str) -> AsyncIterator[FormEvent]:
    """The form as a stream of events; ``bytes`` belong to the part that began last.

    Raises `MalformedRequest` for an incomplete or malformed form.
    """
    boundary = parameters(content_type).get("boundary", "")
    if not 1 <= len(boundary) <= _MAX_BOUNDARY:
        raise MalformedRequest("The form's Content-Type names no boundary.")
    parser = _Parser(boundary)
    async for chunk in chunks:
        for event in parser.feed(chunk):
            yield event
            if event is End.FORM:
                return
    raise MalformedRequest("The form ends before its closing boundary.")


class _Parser:
    """python-multipart's callbacks, as events."""

    def __init__(self, boundary: str) -> None:
        self._events: deque[FormEvent] = deque()
        self._parts = 0
        self._headers: dict[str, str] = {}
        self._name, self._value = bytearray(), bytearray()
        self._parser = MultipartParser(
            boundary.encode("latin-1", errors="replace"),
            {
                "on_part_begin": self._begin_part,
                "on_part_data": lambda data, start, end: self._events.append(data[start:end]),
                "on_part_end": lambda: self._events.append(End.PART),
                "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_end": lambda: self._events.append(End.FORM),
            },
        )

    def feed(self, chunk: bytes) -> list[FormEvent]:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise MalformedRequest("The form is malformed.") from error
        events = list(self._events)
        self._events.clear()
        return events

    def _begin_part(self) -> None:
        """Counted here, before a chunk full of empty parts becomes as many events."""
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise TooLarge(f"A form may have at most {MAX_PARTS} parts.", limit=MAX_PARTS)

    def _end_header(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._name.clear()
        self._value.clear()

    def _end_headers(self) -> None:
        self._events.append(PartBegin(self._headers))
        self._headers = {}


@define
class IncomingForm:
    """A form up to its file, which is read through `file`. ``fields`` are complete after that, but for the ``policy``,
    which the file is held to and so comes before it."""

    _events: AsyncIterator[FormEvent]
    filename: str | None = None
    content_type: str | None = None
    policy: str | None = None
    fields: FormFields = field(factory=FormFields)
    _pairs: list[tuple[str, str]] = field(factory=list)
    _field_bytes: int = 0
    any_fields: bool = False

    @classmethod
    async def open(cls, chunks: AsyncIterable[bytes], content_type: str, *, any_fields: bool = False) -> "IncomingForm":
        """Read up to the file. Raises `InvalidInput` if there is none, or for invalid fields before it.

        With ``any_fields`` any are allowed: see `given`.
        """
        form = cls(read_events(chunks, content_type), any_fields=any_fields)
        part = await form._next_file()
        if part is None:
            raise invalid([Fault(("body", FILE_FIELD), "is required"), *form._check_fields()])
        raise_faults(form._check_fields())
        form.filename, form.content_type = part.filename, part.headers.get("content-type")
        form.policy = form.fields.policy
        return form

    async def file(self) -> AsyncIterator[bytes]:
        """Yield the file's bytes. Ends only after the rest of the form was read and is valid, so that its errors are
        errors of this stream."""
        async for event in self._events:
            if event is End.PART:
                break
            if isinstance(event, bytes):
                yield event
        if await self._next_file() is not None:
            raise invalid([Fault(("body", FILE_FIELD), "must be given only once")])
        raise_faults([*self._check_fields(), *self._late()])

    def _late(self) -> list[Fault]:
        return [] if self.fields.policy == self.policy else [Fault(("body", "policy"), "must come before the file")]

    def given(self, name: str) -> str | None:
        """The value of a field before the file, with its name in any case."""
        return next((value for each, value in self._pairs if each.lower() == name.lower()), None)

    async def _next_file(self) -> PartBegin | None:
        """Read fields until a file begins; ``None`` at the form's end."""
        async for event in self._events:
            if not isinstance(event, PartBegin):
                continue
            if event.is_file:
                return event
            await self._read_field(event.name)
        return None

    async def _read_field(self, name: str) -> None:
        value = bytearray()
        async for event in self._events:
            if event is End.PART:
                break
            if isinstance(event, bytes):
                self._field_bytes += len(event)
                if self._field_bytes > MAX_FIELD_BYTES:
                    raise TooLarge(f"A form's fields may have {MAX_FIELD_BYTES:,} bytes in all.", limit=MAX_FIELD_BYTES)
                value += event
        try:
            self._pairs.append((name, value.decode("utf-8")))
        except UnicodeDecodeError as error:
            raise invalid([Fault(("body", name), "must be UTF-8")]) from error

    def _check_fields(self) -> list[Fault]:
        faults: list[Fault] = []
        if self.any_fields:
            return faults
        self.fields = parse_pairs(FormFields, self._pairs, ("body",), faults) or self.fields
        return faults
