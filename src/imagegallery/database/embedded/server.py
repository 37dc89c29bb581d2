"""A PostgreSQL server of our own, from a Python wheel, that runs while somebody uses its directory.

``directory`` holds ``cluster/`` (PostgreSQL's data directory, with its socket and ``server.log``) and two lock files.
Users of the server share the lock ``users``; the last one, who alone gets it exclusively, stops the server. The lock
``starting`` serialises starts and stops. Locks end with their process: after a ``kill -9`` the next process uses the
orphaned server and stops it later.

The server listens on a Unix socket that only its user (and root) can open, and on no network. The program's role owns
its database and may create others, but is no superuser.
"""

import os
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread
import asyncpg

from imagegallery.common import folders
from imagegallery.common.filelock import FileLock
from imagegallery.database.connections import close_session
from imagegallery.database.embedded.account import cluster_account
from imagegallery.database.embedded.cluster import ROLE, SUPERUSER, Cluster
from imagegallery.errors import ConfigurationError

DATABASE = "imagegallery"

ROLE_EXISTS = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)"
CREATE_ROLE = f"CREATE ROLE {ROLE} LOGIN CREATEDB"
DATABASE_EXISTS = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)"
CREATE_DATABASE = f"CREATE DATABASE {DATABASE} OWNER {ROLE}"


class EmbeddedPostgres:
    """PostgreSQL from the extra ``embedded``; see `running`."""

    @classmethod
    @asynccontextmanager
    async def running(
        cls,
        directory: Path,
        *,
        settings: Mapping[str, str] | None = None,
        temporary: bool = False,
        installed: Path | None = None,
    ) -> AsyncIterator[str]:
        """Run a server in this directory, creating it if needed. Yields the DSN of the program's database.

        Any number of processes may use one directory. ``settings`` are PostgreSQL's, for the process that starts the
        server. With ``temporary``, the last process deletes the directory. ``installed`` is a folder of PostgreSQL
        programs to use instead of the wheel's. Raises `ConfigurationError` if the directory, the user or the
        installation is unsuitable, and `Unavailable` if the server does not start.
        """
        directory = Path(await anyio.Path(directory).absolute())
        users = FileLock(directory / "users.lock")
        starting = FileLock(directory / "starting.lock")
        try:
            yield await _enter(directory, users, starting, settings or {}, installed)
        finally:
            with anyio.CancelScope(shield=True):
                await _leave(directory, users, starting, temporary=temporary, installed=installed)


async def _enter(
    directory: Path, users: FileLock, starting: FileLock, settings: Mapping[str, str], installed: Path | None
) -> str:
    await anyio.to_thread.run_sync(_make_usable, directory)
    try:
        async with starting.exclusive():
            await anyio.to_thread.run_sync(users.share)
            durable = settings.get("fsync") != "off"
            cluster = await Cluster.open(directory / "cluster", durable=durable, installed=installed)
            await cluster.start(settings)
            await _set_up(await cluster.dsn(SUPERUSER, "postgres"))
            return await cluster.dsn(ROLE, DATABASE)
    except PermissionError as error:
        raise ConfigurationError(
            f"The database in {directory} was made by another user; run this as that user."
        ) from error


async def _leave(
    directory: Path, users: FileLock, starting: FileLock, *, temporary: bool, installed: Path | None
) -> None:
    try:
        if users.held and await anyio.Path(directory).exists():
            async with starting.exclusive():
                if await anyio.to_thread.run_sync(users.try_alone):
                    await _close(directory, temporary=temporary, installed=installed)
    finally:
        users.release()


async def _close(directory: Path, *, temporary: bool, installed: Path | None) -> None:
    cluster = directory / "cluster"
    if await anyio.Path(cluster, "PG_VERSION").exists():
        await (await Cluster.open(cluster, installed=installed)).stop()
    if temporary:
        await anyio.to_thread.run_sync(_delete, directory)


async def _set_up(dsn: str) -> None:
    """Make the program's role and database. Repeated at each start, as the first one may have been interrupted."""
    connection = await asyncpg.connect(dsn)
    try:
        if not await connection.fetchval(ROLE_EXISTS, ROLE):
            await connection.execute(CREATE_ROLE)
        if not await connection.fetchval(DATABASE_EXISTS, DATABASE):
            await connection.execute(CREATE_DATABASE)
    finally:
        await close_session(connection)


def _make_usable(directory: Path) -> None:
    try:
        made = folders.make(directory)
        _let_server_pass(directory, made)
        usable = os.access(directory, os.R_OK | os.W_OK | os.X_OK)
    except OSError as error:
        raise ConfigurationError(f"The data directory {directory} cannot be made: {error.strerror}.") from error
    if not usable:
        raise ConfigurationError(f"The data directory {directory} cannot be written to.")


def _let_server_pass(directory: Path, made: Sequence[Path]) -> None:
    """Close the directory to others. As root, let the server's user through it and the parents made for it: then it
    needs no
    capability.
    """
    folders.make_private(directory)
    account = cluster_account(directory / "cluster")
    if account is not None:
        for folder in {directory, *made}:
            if folder.stat().st_uid == os.geteuid():
                folders.let_pass(folder, account.gid)


def _delete(directory: Path) -> None:
    """Move it away first, so that other processes find all of it or nothing."""
    away = directory.with_name(f"{directory.name}.old-{os.getpid()}")
    directory.rename(away)
    shutil.rmtree(away)
