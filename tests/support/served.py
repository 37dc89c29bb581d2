"""A service that clients upload to, with a look behind its counter: what came in, and what was left lying about."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from anyio.from_thread import start_blocking_portal
from attrs import frozen
from tests.support.database import DatabaseServer
from tests.support.servers.api import ApiServer
from tests.support.servers.service import RunningService, running_service

KEY = "the key that tokens of these tests are signed with"
_ORIGINALS = "SELECT sha256, original_key FROM images WHERE owner_id = $1 OR $1 IS NULL"
_OPEN = """
SELECT count(*) FROM upload_sessions
WHERE state IN ('pending', 'uploading', 'uploaded') AND (owner_id = $1 OR $1 IS NULL)"""
_STORED = "SELECT coalesce(sum(storage_used), 0)::bigint FROM owners"
_COUNTED = """
SELECT coalesce(sum(file_size), 0)::bigint
FROM (SELECT DISTINCT owner_id, sha256, file_size FROM images) AS originals"""


@frozen
class ServedUploads:
    """``service`` runs as a user starts it; ``inside`` is its database and its folder of objects."""

    service: RunningService
    inside: ApiServer

    @property
    def api(self) -> str:
        """The root of the API."""
        return f"{self.service.url}/api/v1"

    def originals(self, owner: str | None = None) -> "Counter[str]":
        """How many images there are of each file, by its SHA-256 in hex; each original was read to tell."""
        return Counter(self._digest((sha256, key)) for sha256, key in self.rows(_ORIGINALS, owner))

    def check_has(self, files: Iterable[bytes], *, owner: str | None = None) -> None:
        """Each of these files is there once, byte for byte; the owner has no others, or nobody has; and nothing of any
        upload is left."""
        wanted = Counter(hashlib.sha256(file).hexdigest() for file in files)
        assert self.originals(owner) == wanted
        self.check_nothing_is_left(owner)

    def check_nothing_is_left(self, owner: str | None = None) -> None:
        """No byte of any upload, and no row and reservation of the owner's, or of anybody's: all have ended."""
        assert self.rows(_OPEN, owner)[0][0] == 0
        assert self.unfinished() == set()
        assert self.rows(_STORED)[0][0] == self.rows(_COUNTED)[0][0]

    def rows(self, sql: str, *arguments: object) -> list[tuple[Any, ...]]:
        """What the database says; wherever it is asked, also in an event loop."""
        with ThreadPoolExecutor(1) as aside:
            return [tuple(row) for row in aside.submit(self.inside.rows, sql, *arguments).result()]

    def unfinished(self) -> set[str]:
        """The store's files that are no object yet, and those that came in and were not taken."""
        paths = {path for path in self.inside.stored("") if path.startswith(("incoming/", ".scratch/"))}
        return {path for path in paths if not path.endswith("/lock")}

    def _digest(self, row: tuple[bytes, str]) -> str:
        sha256, key = row
        found = hashlib.sha256((self.inside.objects / key).read_bytes()).digest()
        assert found == sha256
        return found.hex()


def token_of(user: str, **claims: object) -> str:
    """A bearer token that the service takes, for an hour."""
    return jwt.encode({"sub": user, "exp": datetime.now(UTC) + timedelta(hours=1), **claims}, KEY, "HS256")


@contextmanager
def served_uploads(
    database: DatabaseServer, directory: Path, *, has_worker: bool = False, **settings: object
) -> Iterator[ServedUploads]:
    """A service over an empty database, with its data in ``directory``; ``uploads_max_size=…`` and so on are its
    settings. Without a worker nothing becomes of what comes in."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(database.clone()) as dsn,
        again(dsn, directory, has_worker=has_worker, **settings) as served,
    ):
        yield served


@contextmanager
def again(dsn: str, directory: Path, *, has_worker: bool = False, **settings: object) -> Iterator[ServedUploads]:
    """The same over a database and a folder that are there, as after a crash."""
    environment = {f"IMAGEGALLERY_{name.upper()}": str(value) for name, value in settings.items()}
    with running_service(
        directory,
        *(() if has_worker else ("--no-worker",)),
        environment={"IMAGEGALLERY_DATABASE_DSN": dsn, "IMAGEGALLERY_JWT_KEY": KEY, **environment},
    ) as service:
        yield ServedUploads(service, ApiServer(service.url, dsn, directory / "objects"))
