"""An API server to test against: a process of its own, on a free port, over a database and a folder of its own."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import anyio
import asyncpg
from attrs import frozen
from tests.support.waiting import until

from imagegallery.dev_stack.ports import free_port

STOP_DEADLINE_SECONDS = 60


@frozen
class ApiServer:
    """A running server. ``url`` is its root, without a trailing slash; ``objects`` the folder of its store."""

    url: str
    dsn: str
    objects: Path

    def rows(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """What the database says."""

        async def fetch() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.dsn)
            try:
                return await connection.fetch(sql, *arguments)
            finally:
                await connection.close()

        return anyio.run(fetch)

    def stored(self, part: str) -> set[str]:
        """The keys of the store's objects that contain ``part``."""
        files = (path.relative_to(self.objects).as_posix() for path in self.objects.rglob("*") if path.is_file())
        return {path for path in files if part in path}


@contextmanager
def running_api(script: Path, dsn: str, directory: Path, environment: Mapping[str, str]) -> Iterator[ApiServer]:
    """Run ``script PORT`` with settings for ``dsn`` and ``directory`` until the block ends.

    Raises `RuntimeError` with what it printed when it ends instead of answering ``/readyz``.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = directory / "server.log"
    settings = {"IMAGEGALLERY_DATA_DIR": str(directory), "IMAGEGALLERY_DATABASE_DSN": dsn}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, script.name, str(port)],
            cwd=script.parent,
            env={**os.environ, **settings, **environment},
            stdout=output,
            stderr=output,
        )
    try:
        until(lambda: process.poll() is not None or _is_ready(url))
        if process.poll() is not None:
            raise RuntimeError(f"the server did not start:\n{log.read_text()}")
        yield ApiServer(url, dsn, directory / "objects")
    finally:
        process.terminate()
        process.wait(STOP_DEADLINE_SECONDS)


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
