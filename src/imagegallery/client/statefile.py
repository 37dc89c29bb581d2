"""What a run of uploads must remember, so that the next run goes on where a crash ended it.

A file of the user's with one JSON object a line: a heading, and then, for a file as it was at the time, the key of the
request that brings it in or the image that it became; the last line about a file counts. Nothing secret: a key means
something only with the owner's token.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import UUID

import anyio
from anyio.to_thread import run_sync
from attrs import evolve, frozen

from imagegallery.common import folders
from imagegallery.errors import ConfigurationError, InvalidInput
from imagegallery.ids import parse_id

HEADING = {"imagegallery-uploads": 1}


@frozen
class FileKey:
    """A file as it is now, and where it is to go: another gallery, or another content, is another upload."""

    path: str
    size: int
    modified_ns: int
    target: str

    @classmethod
    def of(cls, path: Path, status: os.stat_result, target: str) -> "FileKey":
        return cls(str(path.absolute()), status.st_size, status.st_mtime_ns, target)


@frozen
class Remembered:
    """``idempotency_key`` is that of the last upload begun for a file, ``image_id`` the image it became."""

    idempotency_key: str | None = None
    image_id: UUID | None = None


class StateFile:
    """Kept in memory and added to on disk, a line at a time: a crash can only cut the last one short.

    Without a path nothing is written. Meant for one process at a time.
    """

    def __init__(self, path: Path | None, entries: Mapping[FileKey, Remembered]) -> None:
        self._path = path
        self._entries = dict(entries)
        self._writing = anyio.Lock()

    @classmethod
    def in_memory(cls) -> "StateFile":
        return cls(None, {})

    @classmethod
    async def open(cls, path: Path) -> "StateFile":
        """The file's state; an empty one if there is no file. Raises `ConfigurationError` for another kind of file, and
        for one that cannot be written."""
        try:
            return cls(path, await run_sync(_prepare, path))
        except OSError as error:
            raise ConfigurationError(f"The state file {path} cannot be used: {error.strerror}.") from error
        except (ValueError, TypeError, LookupError, AttributeError, InvalidInput) as error:
            raise ConfigurationError(f"{path} is not a state file of ours.") from error

    def get(self, key: FileKey) -> Remembered:
        return self._entries.get(key, Remembered())

    async def begins(self, key: FileKey, idempotency_key: str) -> None:
        await self._set(key, evolve(self.get(key), idempotency_key=idempotency_key))

    async def ended(self, key: FileKey, image_id: UUID) -> None:
        if self.get(key).image_id != image_id:
            await self._set(key, Remembered(image_id=image_id))

    async def _set(self, key: FileKey, remembered: Remembered) -> None:
        self._entries[key] = remembered
        if self._path is not None:
            async with self._writing:
                await run_sync(_append, self._path, _line(key, remembered))


def _prepare(path: Path) -> dict[FileKey, Remembered]:
    """What the file says; afterwards it ends with a whole line. Raises `OSError`, or anything for another's file."""
    content = path.read_bytes() if path.exists() else b""
    if _text(HEADING).encode().startswith(content):
        path.write_text(_text(HEADING))
        folders.sync(path.parent)
        return {}
    whole, _, cut_short = content.rpartition(b"\n")
    entries = dict(_read(whole.decode()))
    with path.open("r+b") as file:
        file.truncate(len(content) - len(cut_short))
    return entries


def _read(text: str) -> Iterator[tuple[FileKey, Remembered]]:
    heading, *lines = map(json.loads, text.split("\n"))
    if heading != HEADING:
        raise InvalidInput("another kind of file")
    for line in lines:
        key = FileKey(line["path"], line["size"], line["modified_ns"], line["target"])
        yield key, Remembered(line["key"], parse_id(line["image"] or ""))


def _line(key: FileKey, remembered: Remembered) -> str:
    place = {"path": key.path, "size": key.size, "modified_ns": key.modified_ns, "target": key.target}
    image_id = None if remembered.image_id is None else str(remembered.image_id)
    return _text({**place, "key": remembered.idempotency_key, "image": image_id})


def _text(document: Mapping[str, object]) -> str:
    return json.dumps(document) + "\n"


def _append(path: Path, line: str) -> None:
    with path.open("ab") as file:
        file.write(line.encode())
        file.flush()
        os.fsync(file.fileno())
