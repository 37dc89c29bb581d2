"""Forms read as they stream, wherever the chunks are cut, and refused when they are not whole."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegallery import InvalidInput, TooLarge
from imagegallery.common.unset import UNSET
from imagegallery_asgi.api.forms import MAX_FIELD_BYTES, MAX_PARTS, IncomingForm
from imagegallery_asgi.framework.errors import MalformedRequest

TYPE = "multipart/form-data; boundary=sea"
ALT_TEXT = 'form-data; name="alt_text"'
FILE = 'form-data; name="file"; filename="tram é.jpg"'


def part(disposition: str, body: bytes, *headers: str) -> bytes:
    head = "\r\n".join([f"Content-Disposition: {disposition}", *headers])
    return b"--sea\r\n" + head.encode() + b"\r\n\r\n" + body + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--sea--\r\n"


async def cut(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def read(body: bytes, size: int = 64_000, content_type: str = TYPE) -> tuple[IncomingForm, bytes]:
    incoming = await IncomingForm.open(cut(body, size), content_type)
    return incoming, b"".join([chunk async for chunk in incoming.file()])


@given(content=st.binary(max_size=300) | st.just(b"\r\n--sea\r-\r\n--se"), size=st.integers(1, 90))
async def test_any_file_in_any_chunks(content: bytes, size: int) -> None:
    if b"\r\n--sea" in b"\r\n" + content:
        content = content.replace(b"--sea", b"")
    body = form(part(ALT_TEXT, "Ein Tram é".encode()), part(FILE, content, "Content-Type: image/png"))
    incoming, received = await read(body, size)
    assert received == content
    assert (incoming.filename, incoming.content_type) == ("tram é.jpg", "image/png")
    assert incoming.fields.alt_text == "Ein Tram é"


async def test_fields_may_follow_the_file() -> None:
    incoming, received = await read(form(part(FILE, b"x"), part(ALT_TEXT, b"A tram")), 10)
    assert (received, incoming.fields.alt_text) == (b"x", "A tram")


async def test_fields_are_optional() -> None:
    incoming, _ = await read(form(part(FILE, b"x")))
    assert incoming.fields.alt_text is UNSET


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (form(part(ALT_TEXT, b"x")), "file"),
        (form(part(FILE, b"x"), part(FILE, b"y")), "file"),
        (form(part('form-data; name="colour"', b"red"), part(FILE, b"x")), "colour"),
        (form(part(FILE, b"x"), part('form-data; name="colour"', b"red")), "colour"),
        (form(part(FILE, b"x"), part(ALT_TEXT, b"a" * 501)), "alt_text"),
        (form(part(FILE, b"x"), part(ALT_TEXT, b"\xff")), "alt_text"),
        (form(*[part(ALT_TEXT, b"a")] * 2, part(FILE, b"x")), "alt_text"),
    ],
)
async def test_each_fault_names_its_field(body: bytes, path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await read(body)
    assert [fault.path for fault in refused.value.faults] == [("body", path)]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (part(FILE, b"no closing boundary"), TYPE),
        (form(part(FILE, b"x"))[:-6], TYPE),
        (b"", TYPE),
        (b"not a form at all", TYPE),
        (b"--sea\r\nno colon\r\n\r\nx\r\n--sea--\r\n", TYPE),
        (form(part(FILE, b"x")), "multipart/form-data"),
        (form(part(FILE, b"x")), f"multipart/form-data; boundary={'x' * 71}"),
    ],
)
async def test_what_is_not_a_whole_form_is_malformed(body: bytes, content_type: str) -> None:
    with pytest.raises(MalformedRequest):
        await read(body, content_type=content_type)


async def test_fields_and_parts_are_bounded() -> None:
    with pytest.raises(TooLarge):
        await read(form(part(ALT_TEXT, b"a" * (MAX_FIELD_BYTES + 1)), part(FILE, b"x")))
    with pytest.raises(TooLarge):
        await read(form(*[part(ALT_TEXT, b"a")] * (MAX_PARTS + 1), part(FILE, b"x")))
