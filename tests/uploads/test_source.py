"""What may be passed as a file, and what is taken from it."""

import io
import os
import tempfile
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import IO, Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from django.core.files.uploadedfile import SimpleUploadedFile
from litestar.datastructures import UploadFile as LitestarFile
from starlette.datastructures import Headers, UploadFile
from werkzeug.datastructures import FileStorage

from imagegallery.errors import InvalidInput
from imagegallery.uploads.source import FileSource, open_source

CONTENT = b"\xff\xd8\xff" + b"tram 28 " * 100
SIZE = len(CONTENT)
JPEG = "image/jpeg"


async def chunks() -> AsyncIterator[bytes]:
    yield CONTENT[:10]
    yield CONTENT[10:]


def parts() -> Iterator[bytes | bytearray | memoryview]:
    yield bytearray(CONTENT[:10])
    yield memoryview(CONTENT)[10:]


OPENED: list[IO[Any]] = []


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    """Closes the temporary files of a test."""
    yield
    while OPENED:
        OPENED.pop().close()


def rolled() -> "tempfile.SpooledTemporaryFile[bytes]":
    file = tempfile.SpooledTemporaryFile(max_size=1)  # noqa: SIM115
    OPENED.append(file)
    file.write(CONTENT)
    file.seek(0)
    return file


def text_file() -> IO[str]:
    file = tempfile.TemporaryFile("w+")  # noqa: SIM115
    OPENED.append(file)
    return file


class OnlyReads:
    def __init__(self) -> None:
        self._file = io.BytesIO(CONTENT)

    def read(self, size: int, /) -> bytes:
        return self._file.read(size)


def litestar_file() -> LitestarFile:
    file = LitestarFile(JPEG, "tram.jpg", CONTENT)
    OPENED.append(file.file)
    return file


SOURCES: dict[str, tuple[Callable[[], object], str | None, int | None, str | None]] = {
    "bytes": (lambda: CONTENT, None, SIZE, None),
    "bytearray": (lambda: bytearray(CONTENT), None, SIZE, None),
    "memoryview": (lambda: memoryview(CONTENT), None, SIZE, None),
    "BytesIO": (lambda: io.BytesIO(CONTENT), None, SIZE, None),
    "what only reads": (OnlyReads, None, None, None),
    "a spooled file": (rolled, None, SIZE, None),
    "chunks": (chunks, None, None, None),
    "parts": (parts, None, None, None),
    "a list": (lambda: [CONTENT[:10], CONTENT[10:]], None, None, None),
    "Starlette": (
        lambda: UploadFile(io.BytesIO(CONTENT), filename="tram.jpg", headers=Headers({"content-type": JPEG})),
        "tram.jpg",
        SIZE,
        JPEG,
    ),
    "Starlette, on disk": (lambda: UploadFile(rolled(), filename="tram.jpg"), "tram.jpg", SIZE, None),  # type: ignore[arg-type]
    "Litestar": (litestar_file, "tram.jpg", SIZE, JPEG),
    "Werkzeug": (
        lambda: FileStorage(io.BytesIO(CONTENT), "tram.jpg", name="photo", content_type=JPEG),
        "tram.jpg",
        SIZE,
        JPEG,
    ),
    "Werkzeug, without a name": (lambda: FileStorage(io.BytesIO(CONTENT), name="photo"), None, SIZE, None),
    "Django, in tests": (lambda: SimpleUploadedFile("tram.jpg", CONTENT), "tram.jpg", SIZE, None),
    "Django": (lambda: SimpleUploadedFile("tram.jpg", CONTENT, JPEG), "tram.jpg", SIZE, JPEG),
}


async def passed(source: FileSource) -> bytes:
    async with open_source(source) as file:
        return b"".join([chunk async for chunk in file.chunks])


@pytest.mark.parametrize("kind", SOURCES)
async def test_name_size_and_type_are_taken_from_it(kind: str) -> None:
    make, name, size, content_type = SOURCES[kind]
    source: Any = make()
    async with open_source(source) as file:
        assert (file.name, file.size, file.content_type) == (name, size, content_type)
        assert file.start.startswith(b"\xff\xd8\xff")
        assert b"".join([chunk async for chunk in file.chunks]) == CONTENT


async def test_a_path_is_text_or_any_path(tmp_path: Path) -> None:
    path = tmp_path / "tram.jpg"
    path.write_bytes(CONTENT)
    with os.scandir(tmp_path) as entries:
        (entry,) = entries
    for source in (path, str(path), entry, anyio.Path(path)):
        async with open_source(source) as file:
            assert (file.name, file.size) == ("tram.jpg", SIZE)
            assert b"".join([chunk async for chunk in file.chunks]) == CONTENT


async def test_an_open_file_is_read_from_where_it_is_and_stays_open(tmp_path: Path) -> None:
    path = tmp_path / "tram.jpg"
    path.write_bytes(CONTENT)
    with path.open("rb") as opened:
        opened.seek(10)
        async with open_source(opened) as file:
            assert (file.name, file.size) == ("tram.jpg", SIZE - 10)
            assert b"".join([chunk async for chunk in file.chunks]) == CONTENT[10:]
        assert not opened.closed
    async with await anyio.open_file(path, "rb") as asynchronous:
        assert await passed(asynchronous) == CONTENT
    with zipfile.ZipFile(tmp_path / "album.zip", "w") as album:
        album.write(path, "lisbon/tram.jpg")
    with zipfile.ZipFile(tmp_path / "album.zip") as album, album.open("lisbon/tram.jpg") as entry:
        async with open_source(entry) as file:
            assert (file.name, file.size) == ("tram.jpg", SIZE)
            assert b"".join([chunk async for chunk in file.chunks]) == CONTENT


async def test_bytes_that_change_meanwhile_are_those_that_were_passed() -> None:
    changing = bytearray(CONTENT)
    async with open_source(changing) as file:
        changing[:] = bytes(len(changing))
        await checkpoint()
        assert b"".join([chunk async for chunk in file.chunks]) == CONTENT


async def test_a_path_that_cannot_be_read_is_python_s_own_error(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match=tmp_path.name):
        await passed(tmp_path)
    for missing in (tmp_path / "missing.jpg", str(tmp_path / "missing.jpg"), ""):
        with pytest.raises(FileNotFoundError):
            await passed(missing)


def closed() -> io.BytesIO:
    file = io.BytesIO(CONTENT)
    file.close()
    return file


def read() -> io.BytesIO:
    file = io.BytesIO(CONTENT)
    file.read()
    return file


async def closed_file_of_starlette() -> UploadFile:
    file = UploadFile(rolled(), filename="tram.jpg")  # type: ignore[arg-type]
    await file.close()
    return file


UNUSABLE: dict[str, tuple[Callable[[], object], str]] = {
    "closed": (closed, "is closed"),
    "read": (read, r"call its seek\(0\) first"),
    "text": (lambda: io.StringIO("tram"), "in the mode 'rb'"),
    "a text file": (text_file, "in the mode 'rb'"),
    "a zero byte": (lambda: "\xff\xd8\xff\x00", "Pass its content as bytes"),
    "None": (lambda: None, "of the class NoneType: pass a path, bytes"),
    "a number": (lambda: 7, "of the class int"),
    "texts": (lambda: ["tram"], "in the mode 'rb'"),
    "numbers": (lambda: [1, 2], "not of int"),
}


@pytest.mark.parametrize("kind", UNUSABLE)
async def test_what_is_no_file_is_said(kind: str) -> None:
    make, words = UNUSABLE[kind]
    source: Any = make()
    with pytest.raises(InvalidInput, match=words):
        await passed(source)


async def test_an_uploaded_file_that_was_closed_is_said() -> None:
    with pytest.raises(InvalidInput, match="is closed"):
        await passed(await closed_file_of_starlette())


async def test_what_decodes_text_is_a_text_file() -> None:
    class Decodes:
        def read(self, size: int) -> str:
            return CONTENT.decode("utf-8")

    with pytest.raises(InvalidInput, match="in the mode 'rb'"):
        await passed(Decodes())  # type: ignore[arg-type]
