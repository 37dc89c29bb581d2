"""Two real servers: a primary, and a hot standby that streams its log and can be held back."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio
import asyncpg
from attrs import frozen

from imagegallery.database.embedded.account import run_as
from imagegallery.database.embedded.cluster import PORT, ROLE, SUPERUSER, Cluster
from imagegallery.database.embedded.server import DATABASE, EmbeddedPostgres
from imagegallery.database.migrate import migrate
from imagegallery.database.pool import Database, DatabaseOptions

# Safe enough for a test, and sure to be sent when it is committed.
SETTINGS = {"fsync": "off", "autovacuum": "off", "shared_buffers": "16MB"}
# Our own servers let nobody stream, and the superuser into no other database.
HBA = "local all all trust\nlocal replication all trust\n"
PAUSE = "SELECT pg_wal_replay_pause()"
IS_PAUSED = "SELECT pg_get_wal_replay_pause_state() = 'paused'"
RESUME = "SELECT pg_wal_replay_resume()"
HURRY = "ALTER SYSTEM SET max_standby_streaming_delay = 0"
RELOAD = "SELECT pg_reload_conf()"


@frozen
class Pair:
    """``primary`` and ``standby`` are DSNs of the gallery's database; ``admin`` is the standby's, as superuser."""

    primary: str
    standby: str
    admin: str
    cluster: Cluster
    settings: Mapping[str, str]

    @asynccontextmanager
    async def held_back(self) -> AsyncIterator[None]:
        """Meanwhile the standby takes in the log, but nothing that is in it can be seen."""
        async with self._administering() as connection:
            await connection.execute(PAUSE)
            with anyio.fail_after(30):
                while not await connection.fetchval(IS_PAUSED):
                    await anyio.sleep(0)
            try:
                yield
            finally:
                await connection.execute(RESUME)

    @asynccontextmanager
    async def stopped(self) -> AsyncIterator[None]:
        """Meanwhile there is no standby."""
        await self.cluster.stop()
        try:
            yield
        finally:
            await self.cluster.start(self.settings)

    async def never_waits_for_readers(self) -> None:
        """From now on a statement that stands in the way of the log is broken off."""
        async with self._administering() as connection:
            await connection.execute(HURRY)
            await connection.execute(RELOAD)

    @asynccontextmanager
    async def _administering(self) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
        connection = await asyncpg.connect(self.admin)
        try:
            yield connection
        finally:
            await connection.close()


@asynccontextmanager
async def running_pair(folder: Path) -> AsyncIterator[Pair]:
    """Both servers, with the gallery's schema."""
    async with AsyncExitStack() as stack:
        hba = anyio.Path(folder, "primary", "hba.conf")
        await hba.parent.mkdir()
        await hba.write_text(HBA)
        settings = {**SETTINGS, "hba_file": str(hba)}
        running = EmbeddedPostgres.running(folder / "primary", settings=settings)
        primary_dsn = await stack.enter_async_context(running)
        primary = await Cluster.open(folder / "primary" / "cluster")
        await _copy(primary, folder / "primary" / "standby")
        standby = await Cluster.open(folder / "primary" / "standby")
        stack.push_async_callback(standby.stop)
        await standby.start(settings)
        async with Database.connect(DatabaseOptions(dsn=primary_dsn)) as database:
            await migrate(database)
        admin = await standby.dsn(SUPERUSER, DATABASE)
        yield Pair(primary_dsn, await standby.dsn(ROLE, DATABASE), admin, standby, settings)


async def _copy(primary: Cluster, to: Path) -> None:
    """``-R`` makes the copy a standby of where it came from."""
    to.mkdir(mode=0o700)
    if primary.account is not None:
        primary.account.take(to)
    dsn = await primary.dsn(SUPERUSER, "postgres")
    command: list[str | Path] = [
        primary.programs / "pg_basebackup",
        "-d",
        dsn,
        "-D",
        to,
        "-R",
        "-c",
        "fast",
        "--no-sync",
    ]
    done = await run_as(primary.account, command, folder=to)
    assert done.returncode == 0, done.stdout.decode()
    # The copy is of all that lies there, the lock of the primary's socket too.
    await anyio.Path(to, f".s.PGSQL.{PORT}.lock").unlink()
