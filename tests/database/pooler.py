"""A real PgBouncer in transaction mode, in front of the server that the tests share."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import anyio
import asyncpg

from imagegallery.database.embedded.account import Account
from imagegallery.database.embedded.cluster import ROLE

PORT = 6432
CONFIGURATION = """
[databases]
* = host={server} port={port}
[pgbouncer]
pool_mode = transaction
default_pool_size = 5
listen_addr =
unix_socket_dir = {folder}
listen_port = 6432
auth_type = trust
auth_file = {folder}/users.txt
ignore_startup_parameters =
"""


def find_pgbouncer() -> str | None:
    """Distributions install it where only administrators look."""
    return shutil.which("pgbouncer", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))


@contextmanager
def running_pgbouncer(program: str, dsn: str) -> Iterator[Path]:
    """In front of the server of this DSN; yields the folder of its socket."""
    server = parse_qs(urlsplit(dsn).query)
    # It runs as whom the server's socket is for, and never as root.
    account = Account.owning(Path(server["host"][0])) if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="bouncer-"))
    (folder / "users.txt").write_text(f'"{ROLE}" ""\n')
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(CONFIGURATION.format(server=server["host"][0], port=server["port"][0], folder=folder))
    if account is not None:
        account.take(folder)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, str(configuration)],
            stdout=log,
            stderr=log,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
        )
    try:
        yield folder
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


def through(folder: Path, dsn: str) -> str:
    """The same database by way of the pooler."""
    query = urlencode({"host": str(folder), "port": PORT, "sslmode": "disable"})
    return urlunsplit(urlsplit(dsn)._replace(query=query))


async def until_it_answers(dsn: str) -> None:
    with anyio.fail_after(30):
        while True:
            try:
                connection = await asyncpg.connect(dsn, statement_cache_size=0)
            except (OSError, asyncpg.PostgresError):
                await anyio.sleep(0.01)
            else:
                await connection.close()
                return
