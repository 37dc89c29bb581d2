"""A file that remembers uploads, so that another run resumes them after a crash.

It has one JSON object a line: a heading, then, for a version of a file, the key of its upload request or the id of its
image. The last line about a file counts. Nothing in it is secret: a key is worthless without the owner's token.
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
    """A version of a file and its destination: another gallery or other content is another upload."""

    path: str
    size: int
    modified_ns: int
    target: str

    @classmethod
    def of(cls, path: Path, status: os.stat_result, target: str) -> "FileKey":
        return cls(str(path.absolute()), status.st_size, status.st_mtime_ns, target)


@frozen
class RememberedUpload:
    """``idempotency_key`` is of the last upload of a file, ``image_id`` the resulting image."""

    idempotency_key: str | None = None
    image_id: UUID | None = None


class StateFile:
    """The state in memory, appended to disk line by line: a crash can only truncate the last one.

    Without a path it writes nothing. For one process at a time.
    """

    def __init__(self, path: Path | None, entries: Mapping[FileKey, RememberedUpload]) -> None:
        self._path = path
        self._entries = dict(entries)
        self._writing = anyio.Lock()

    @classmethod
    def in_memory(cls) -> "StateFile":
        return cls(None, {})

    @classmethod
    async def open(cls, path: Path) -> "StateFile":
        """Read the file, if it exists. Raises `ConfigurationError` for another kind of file, or one that cannot be
        written."""
        try:
            return cls(path, await run_sync(_prepare, path))
        except OSError as error:
            raise ConfigurationError(f"The state file {path} cannot be used: {error.strerror}.") from error
        except (ValueError, TypeError, LookupError, AttributeError, InvalidInput) as error:
            raise ConfigurationError(f"{path} is not a state file of ours.") from error

    def get(self, key: FileKey) -> RememberedUpload:
        return self._entries.get(key, RememberedUpload())

    async def remember_key(self, key: FileKey, idempotency_key: str) -> None:
        await self._set(key, evolve(self.get(key), idempotency_key=idempotency_key))

    async def remember_image(self, key: FileKey, image_id: UUID) -> None:
        if self.get(key).image_id != image_id:
            await self._set(key, RememberedUpload(image_id=image_id))

    async def _set(self, key: FileKey, remembered: RememberedUpload) -> None:
        self._entries[key] = remembered
        if self._path is not None:
            async with self._writing:
                await run_sync(_append, self._path, _line(key, remembered))


def _prepare(path: Path) -> dict[FileKey, RememberedUpload]:
    """Read the file and complete its last line. Raises `OSError`, or any error for another kind of file."""
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


def _read(text: str) -> Iterator[tuple[FileKey, RememberedUpload]]:
    heading, *lines = map(json.loads, text.split("\n"))
    if heading != HEADING:
        raise InvalidInput("another kind of file")
    for line in lines:
        key = FileKey(line["path"], line["size"], line["modified_ns"], line["target"])
        yield key, RememberedUpload(line["key"], parse_id(line["image"] or ""))


def _line(key: FileKey, remembered: RememberedUpload) -> str:
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
