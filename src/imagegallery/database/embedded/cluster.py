"""One PostgreSQL data directory ("cluster" in PostgreSQL's terms) and its server.

Callers hold a lock, so that nobody else initialises, starts or stops the same cluster.
"""

import hashlib
import os
import re
import secrets
import shlex
import shutil
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlencode

import anyio
import anyio.to_thread
import asyncpg
from attrs import frozen

from imagegallery.common import folders
from imagegallery.database.connections import close_session
from imagegallery.database.embedded.account import Account, bootstrap_account, owner_account, run_as, service_account
from imagegallery.database.embedded.binaries import programs
from imagegallery.errors import ConfigurationError, Unavailable

SUPERUSER = "postgres"
ROLE = "imagegallery"
PORT = 5432  # part of the socket's name, nothing listens on the network
# sun_path holds 108 bytes on Linux, 104 on macOS and the BSDs, with a final NUL (unix(7)).
LONGEST_SOCKET_PATH = 103
START_TIME = 60  # seconds, recovery after a crash included
STOP_TIME = 30

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # The disk used for the log, about (by default it is a gigabyte). Frequent changes then need more checkpoints, which
    # write whole pages to the log: compressed.
    "max_wal_size": "256MB",
    "min_wal_size": "32MB",
    "wal_compression": "on",
    "cluster_name": "imagegallery",
}

# Only the server's user and root can open the socket, and they could become any other role as well. Both roles need one
# database or their own, and there is no network.
HBA_FILE = "pg_hba.conf"
HBA = f"""\
# Made anew at each start.
local  postgres  {SUPERUSER}     trust
local  all       {ROLE}  trust
"""

# The same collation from the wheel's server and, for a server before 17, from the system.
BUILTIN_LOCALE = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
SYSTEM_LOCALE = ("--locale=C.UTF-8",)

_PLAIN_PATH = re.compile(r"[\w./+-]+", re.ASCII)


@frozen
class Cluster:
    """``data`` is its directory, ``account`` the owner of its files and server (``None``: the current user)."""

    data: Path
    programs: Path
    account: Account | None

    @classmethod
    async def open(cls, data: Path, *, durable: bool = True, installed: Path | None = None) -> "Cluster":
        """Open the cluster in this directory, creating it if needed. Raises `ConfigurationError`.

        ``durable``: a new one survives a power failure. ``installed`` is a folder of PostgreSQL programs to use instead
        of the wheel's.
        """
        if not await anyio.Path(data, "PG_VERSION").exists():
            await _initialise(data, durable=durable, installed=installed)
        return await anyio.to_thread.run_sync(cls._existing, data, installed)

    @classmethod
    def _existing(cls, data: Path, installed: Path | None) -> "Cluster":
        major = int((data / "PG_VERSION").read_text())
        return cls(data, installed or programs(major), owner_account(data))

    async def start(self, settings: Mapping[str, str]) -> None:
        """Start a server unless one runs, whatever is left of an earlier one. A running one keeps its settings.

        Raises `Unavailable`, with the end of the server's log, if it does not start.
        """
        with anyio.move_on_after(START_TIME):
            if await self._answers():
                return
            await anyio.to_thread.run_sync(self._keep_last_log)
            while not await self._launch(settings):
                if not await anyio.to_thread.run_sync(self._may_be_in_the_way):
                    break
                await anyio.sleep(0.1)
                if await self._answers():
                    return
            else:
                return
        raise Unavailable(f"The embedded database does not start. {await self._last_words()}")

    async def stop(self) -> None:
        """Stop the server: cleanly, or otherwise at once (it recovers at the next start)."""
        for mode in ("fast", "immediate"):
            done = await self._control("stop", "-m", mode, "-t", str(STOP_TIME))
            if done or not await anyio.Path(self.data, "postmaster.pid").exists():
                break
        await anyio.to_thread.run_sync(self._remove_socket_directory)

    async def dsn(self, user: str, database: str) -> str:
        """The address of a database in the running server."""
        sockets = await anyio.to_thread.run_sync(self._socket_directory_in_use)
        # sslmode: whatever the environment says, there is no network to protect.
        return f"postgresql://{quote(user)}@/{quote(database)}?" + urlencode(
            {"host": str(sockets), "port": PORT, "sslmode": "disable"}
        )

    async def _answers(self) -> bool:
        """Whether a server responds. Waits while one starts, recovers or ends."""
        while True:
            try:
                connection = await asyncpg.connect(await self.dsn(SUPERUSER, "postgres"), timeout=START_TIME)
            except asyncpg.CannotConnectNowError:
                await anyio.sleep(0.05)
            except (OSError, asyncpg.PostgresConnectionError):
                return False
            else:
                await close_session(connection)
                return True

    async def _launch(self, settings: Mapping[str, str]) -> bool:
        sockets = await anyio.to_thread.run_sync(self._make_socket_directory)
        hba = await anyio.to_thread.run_sync(self._write_hba)
        quoted = str(sockets).replace('"', '""')
        wanted = {**SETTINGS, "unix_socket_directories": f'"{quoted}"', "port": str(PORT)}
        wanted |= {"hba_file": str(hba), **settings}
        options = shlex.join(word for name, value in wanted.items() for word in ("-c", f"{name}={value}"))
        # pg_ctl puts file names into a shell command unquoted, so none is given that needs quoting.
        return await self._control("start", "-t", str(START_TIME), "-l", self._log.name, "-o", options)

    async def _control(self, action: str, *arguments: str) -> bool:
        command: tuple[str | Path, ...] = (self.programs / "pg_ctl", action, "-w", "-s", *arguments)
        reaching = [self._socket_directory()] if action == "start" else []
        done = await run_as(self.account, command, folder=self.data, reaching=reaching)
        return done.returncode == 0

    def _write_hba(self) -> Path:
        """Written next to the cluster, where its user can read but not replace it."""
        path = self.data.with_name(HBA_FILE)
        draft = path.with_name(f".{HBA_FILE}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, folders.PRIVATE_FILE), "w") as file:
            file.write(HBA)
            if self.account is not None:
                os.fchown(file.fileno(), -1, self.account.gid)
                os.fchmod(file.fileno(), 0o640)
        return draft.replace(path)

    @property
    def _log(self) -> Path:
        return self.data / "server.log"

    def _keep_last_log(self) -> None:
        """Keep the log of this start and of the previous one."""
        if self._log.exists():
            self._log.replace(self._log.with_suffix(".log.old"))

    async def _last_words(self) -> str:
        try:
            text = await anyio.Path(self._log).read_text(errors="replace")
        except OSError:
            return ""
        return " ".join(text.splitlines()[-3:])

    def _may_be_in_the_way(self) -> bool:
        """Whether an earlier server keeps a new one from starting: its last process may still be ending.

        PostgreSQL takes any process of its own user whose id is in ``postmaster.pid`` for the server, and ids recur
        after a restart, most of all in containers. So a file that names another program is removed. (By shared memory,
        PostgreSQL still notices a running server.)
        """
        path = self.data / "postmaster.pid"
        try:
            pid = int(path.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return False
        name = _program_name(pid)
        if name is not None and not name.startswith("postgres"):
            path.unlink(missing_ok=True)
        return True

    def _socket_directory_in_use(self) -> Path:
        """Where the running server listens: line 5 of its ``postmaster.pid``."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            lines = []
        return Path(lines[4]) if len(lines) > 4 and lines[4] else self._socket_directory()

    def _socket_directory(self) -> Path:
        """The data directory, or a private directory with a shorter name, if sockets there are not possible."""
        if _fits(self.data):
            return self.data
        name = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]
        return Path(tempfile.gettempdir(), f"imagegallery-{name}")

    def _remove_socket_directory(self) -> None:
        directory = self._socket_directory()
        if directory != self.data:
            with suppress(OSError):  # it was never made, or is not empty
                directory.rmdir()

    def _make_socket_directory(self) -> Path:
        directory = self._socket_directory()
        if directory != self.data:
            _make_private(directory, self.account)
        return directory


@frozen
class _Birth:
    """What is needed to make a cluster at ``new``, by ``bootstrap``, for ``account``."""

    initdb: Path
    new: Path
    account: Account | None
    bootstrap: Account | None

    @classmethod
    def prepare(cls, data: Path, installed: Path | None) -> "_Birth":
        initdb = (installed or programs()) / "initdb"
        account = service_account()
        bootstrap = bootstrap_account(account)
        for leftover in data.parent.glob(f"{data.name}.new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        new = Path(tempfile.mkdtemp(prefix=f"{data.name}.new-", dir=data.parent))
        if bootstrap is not None:
            bootstrap.take(new)
        return cls(initdb, new, account, bootstrap)


async def _initialise(data: Path, *, durable: bool, installed: Path | None) -> None:
    """Make a cluster next to its final place, so that it appears whole (``initdb`` syncs it) or not at all."""
    birth = await anyio.to_thread.run_sync(_Birth.prepare, data, installed)
    command = (
        birth.initdb,
        *("-U", SUPERUSER, "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--no-instructions"),
        *(BUILTIN_LOCALE if installed is None else SYSTEM_LOCALE),
        *(() if durable else ("--no-sync",)),
    )
    done = await run_as(birth.bootstrap, command, folder=birth.new)
    if done.returncode != 0:
        await anyio.to_thread.run_sync(shutil.rmtree, birth.new)
        reason = done.stdout.decode(errors="replace").strip().splitlines()[-3:]
        raise ConfigurationError(f"The embedded database cannot be made in {data.parent}: {' '.join(reason)}")
    await anyio.to_thread.run_sync(_put_in_place, birth.new, data, birth.account)


def _put_in_place(new: Path, data: Path, account: Account | None) -> None:
    if account is not None:
        account.take(new)
    try:
        new.rename(data)
    except OSError as error:
        raise ConfigurationError(f"{data} is in the way: it is no PostgreSQL data directory.") from error
    folders.sync(data.parent)


def _fits(directory: Path) -> bool:
    socket = directory / f".s.PGSQL.{PORT}"
    # The driver splits a list of hosts at commas, and the server its list of directories.
    return len(os.fsencode(socket)) <= LONGEST_SOCKET_PATH and _PLAIN_PATH.fullmatch(str(directory)) is not None


def _make_private(directory: Path, account: Account | None) -> None:
    """Make a directory that only the server's user may enter, where others could have made one first."""
    owner = os.geteuid() if account is None else account.uid
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        pass
    else:
        if account is not None:
            account.take(directory)
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != owner or stat.S_IMODE(status.st_mode) != 0o700:
        raise ConfigurationError(f"{directory} is in the way: remove it, or set TMPDIR to a directory of your own.")
    if not _fits(directory):
        raise ConfigurationError(f"No socket fits in {directory}: set TMPDIR to a shorter, plain path.")


def _program_name(pid: int) -> str | None:
    """The program with this id; ``None`` if there is none, or the system does not tell."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return None
