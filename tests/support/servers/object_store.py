"""One S3 server for all workers of a test run, which stops with the last of them."""

import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import uuid4

import anyio
from anyio import to_thread
from anyio.from_thread import start_blocking_portal
from attrs import asdict, evolve, frozen

from imagegallery.common.filelock import FileLock
from imagegallery.dev_stack.object_store import BUCKET, ObjectStoreServer
from imagegallery.errors import ConfigurationError
from imagegallery.storage.options import S3Options

_STATE = "server.json"


@frozen
class SharedObjectStore(ObjectStoreServer):
    """Made by `shared`, or by `running` for one that may be killed, paused or filled."""

    @staticmethod
    @contextmanager
    def shared(directory: Path | None = None) -> Iterator["SharedObjectStore"]:
        """The server of this directory, by default one for each user of this machine.

        Workers and test runs that overlap share it. The last of them stops it; after one that was killed, the next
        finds it, and stops it in the end. Works in any test runner: its own life is in a thread.
        """
        with (
            start_blocking_portal() as portal,
            portal.wrap_async_context_manager(SharedObjectStore._shared(directory or _own_directory())) as server,
        ):
            yield server

    @staticmethod
    @asynccontextmanager
    async def _shared(directory: Path) -> AsyncIterator["SharedObjectStore"]:
        users, starting = FileLock(directory / "users.lock"), FileLock(directory / "starting.lock")
        try:
            async with starting.exclusive():
                await to_thread.run_sync(users.share)
                server = await _found_or_started(directory)
            yield server
        finally:
            with anyio.CancelScope(shield=True):
                await _leave(directory, users, starting)

    def options(self) -> S3Options:
        """A place that nobody has used: a prefix of its own in a bucket that is there."""
        return S3Options(bucket=BUCKET, prefix=f"{uuid4().hex}/", endpoint_url=self.url, path_style=True)

    def own_bucket(self) -> S3Options:
        """A bucket that does not exist yet. Prefer `options`: SeaweedFS makes volumes for each bucket."""
        return evolve(self.options(), bucket=f"tests-{uuid4().hex}", prefix="")


async def _found_or_started(directory: Path) -> SharedObjectStore:
    state = directory / _STATE
    if (found := _read(state)) is not None and await found.answers():
        return found
    server = await to_thread.run_sync(SharedObjectStore.start, directory / "data")
    state.write_text(json.dumps(asdict(server)))
    await server.wait_until_ready(directory / "data")
    return server


async def _leave(directory: Path, users: FileLock, starting: FileLock) -> None:
    try:
        async with starting.exclusive():
            if users.held and await to_thread.run_sync(users.try_alone):
                if (server := _read(directory / _STATE)) is not None:
                    await server.stop()
                await to_thread.run_sync(shutil.rmtree, directory, True)
    finally:
        users.release()


def _read(state: Path) -> SharedObjectStore | None:
    try:
        return SharedObjectStore(**json.loads(state.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _own_directory() -> Path:
    directory = Path(tempfile.gettempdir(), f"imagegallery-test-objects-{os.geteuid()}")
    if directory.exists() and directory.lstat().st_uid != os.geteuid():
        raise ConfigurationError(f"{directory} belongs to somebody else: remove it, or set TMPDIR.")
    return directory
