"""What a caller may pass as a file: a path, bytes, an open file, a web framework's uploaded file, or chunks.

Name, type and size come from it, where it has them.
"""

import inspect
import io
import os
import stat
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from errno import EISDIR
from pathlib import Path, PurePath
from typing import Any, Final, Protocol, TypeAlias

from anyio import to_thread
from attrs import frozen

from imagegallery.errors import InvalidInput
from imagegallery.imaging.signature import HEAD_SIZE
from imagegallery.storage.streams import CHUNK_SIZE, Readable, bytes_chunks, file_chunks, peek


class AsyncReadable(Protocol):
    """What the uploaded files of Starlette, FastAPI and Litestar, and files of anyio and aiofiles have in common."""

    async def read(self, size: int, /) -> bytes:
        """Read at most ``size`` bytes; none at the end."""


FileSource: TypeAlias = (
    str
    | os.PathLike[str]
    | bytes
    | bytearray
    | memoryview
    | Readable
    | AsyncReadable
    | AsyncIterable[bytes]
    | Iterable[bytes]
)
"""A text is a path, never content. An open file is read from where it is, and stays open."""

PASSED: Final = "a path, bytes, a file open for reading bytes, an uploaded file of a web framework or chunks of bytes"
_TEXT_MODE: Final = "The file is open for reading text: open it for reading bytes, in the mode 'rb'."
_CLOSED: Final = "The file is closed."


@frozen
class OpenSource:
    """A file's bytes in chunks, the first of them also as ``start``; and its ``name``, ``size`` in bytes and
    ``content_type``, if the source knows them."""

    start: bytes
    chunks: AsyncIterator[bytes]
    size: int | None = None
    name: str | None = None
    content_type: str | None = None


@frozen
class _Found:
    """The same before anything is read."""

    chunks: AsyncGenerator[bytes, None]
    size: int | None = None
    name: str | None = None
    content_type: str | None = None


@asynccontextmanager
async def open_source(source: FileSource) -> AsyncIterator[OpenSource]:
    """Open the source and read its first chunk.

    Raises:
        OSError: For a path that cannot be read, such as `FileNotFoundError` and `IsADirectoryError`.
        InvalidInput: For a file that is closed, or gives text, and for anything else.
    """
    found = await _find(source)
    async with aclosing(found.chunks):
        start, chunks = await peek(found.chunks, HEAD_SIZE)
        yield OpenSource(start, chunks, found.size, found.name, found.content_type)


async def _find(source: FileSource) -> _Found:
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        size = await to_thread.run_sync(_size_of_path, os.fspath(source))
        return _Found(file_chunks(path), size, path.name)
    if isinstance(source, bytes | bytearray | memoryview):
        content = bytes(source)
        return _Found(_checked(bytes_chunks(content)), len(content))
    if hasattr(source, "read"):
        _check_open(source)
        size = await to_thread.run_sync(_size_of_file, source)
        return _Found(_read(source), size, _name_of(source), _type_of(source))
    if isinstance(source, AsyncIterable):
        return _Found(_checked(source))
    if isinstance(source, Iterable):
        return _Found(_checked(_iterate(source)))
    raise InvalidInput(f"This is no file but of the class {type(source).__name__}: pass {PASSED}.")


# --- paths -----------------------------------------------------------------------------------------------------------


def _size_of_path(path: str) -> int | None:
    """``None`` for a pipe and the like, which can be read. Raises as `open_source`."""
    try:
        status = os.stat(path)  # noqa: PTH116 - Path("") is the working directory
    except ValueError as error:  # a zero byte: these are the bytes of a file
        raise InvalidInput("A text is the path of a file, and this can be none. Pass its content as bytes.") from error
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), path)
    return status.st_size if stat.S_ISREG(status.st_mode) else None


# --- open files ------------------------------------------------------------------------------------------------------


def _check_open(file: object) -> None:
    """Raises `InvalidInput` for one that is closed, or gives text. A framework's file holds another one as ``file``."""
    for each in (file, getattr(file, "file", None)):
        if getattr(each, "closed", False) is True:
            raise InvalidInput(_CLOSED)
        if isinstance(each, io.TextIOBase):
            raise InvalidInput(_TEXT_MODE)


def _size_of_file(file: object) -> int | None:
    """The bytes from where it is to its end, else what it says of its size. Raises as `_left_of`."""
    for each in (getattr(file, "file", None), file):
        if (left := _left_of(each)) is not None:
            return left
    said = getattr(file, "size", None)
    return said if isinstance(said, int) else None


def _left_of(file: Any) -> int | None:
    """Seek to the end of a file of any class and back; ``None`` if it cannot.

    Raises:
        InvalidInput: If it has been read to its end.
    """
    if inspect.iscoroutinefunction(getattr(file, "tell", None)):
        return None
    try:
        here: int = file.tell()
        end: int = file.seek(0, os.SEEK_END) or file.tell()  # some forget to return it
        file.seek(here)
    except (AttributeError, OSError):
        return None
    if 0 < here >= end:
        raise InvalidInput("The file was read to its end before: call its seek(0) first.")
    return end - here


def _name_of(file: object) -> str | None:
    """What a browser called an uploaded file, or the name of the file that was opened."""
    name = _text(getattr(file, "filename" if hasattr(file, "filename") else "name", None))
    return PurePath(name).name if name else None


def _type_of(file: object) -> str | None:
    """What a browser called it, if that is an image: else it did not know, and the name and the bytes say more."""
    said = _text(getattr(file, "content_type", None))
    return said if said and said.startswith("image/") else None


def _text(found: object) -> str | None:
    return found if isinstance(found, str) and found else None


async def _read(file: Any) -> AsyncGenerator[bytes, None]:
    """Yield what is left of a file of any class: ``read`` is awaited, or called in a thread."""
    is_awaited = inspect.iscoroutinefunction(file.read)
    while True:
        try:
            found = await (file.read(CHUNK_SIZE) if is_awaited else to_thread.run_sync(file.read, CHUNK_SIZE))
        except UnicodeDecodeError as error:
            raise InvalidInput(_TEXT_MODE) from error
        if not found:
            return
        yield _bytes(found)


# --- chunks ----------------------------------------------------------------------------------------------------------


async def _checked(chunks: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    async for chunk in chunks:
        yield _bytes(chunk)


async def _iterate(chunks: Iterable[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield them, each asked for in a thread: a generator may read files."""
    asked = iter(chunks)
    while (chunk := await to_thread.run_sync(next, asked, None)) is not None:
        yield chunk


def _bytes(chunk: object) -> bytes:
    """Raises `InvalidInput` for anything else."""
    if isinstance(chunk, str):
        raise InvalidInput(_TEXT_MODE)
    if not isinstance(chunk, bytes | bytearray | memoryview):
        raise InvalidInput(f"A file is made of bytes, not of {type(chunk).__name__}: pass {PASSED}.")
    return bytes(chunk)
