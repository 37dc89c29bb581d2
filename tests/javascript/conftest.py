"""Clients that others wrote, as they are published: Node's packages, installed once into a cache of this machine's."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from attrs import frozen
from tests.support.database import DatabaseServer
from tests.support.served import ServedUploads, served_uploads, token_of
from tests.support.servers.proxy import FailingNetwork

HERE = Path(__file__).parent
OLDEST_NODE = 20
INSTALL = ("install", "--no-audit", "--no-fund", "--silent")


@frozen
class NodeClients:
    """Runs the scripts of this folder where their packages are."""

    node: str
    folder: Path

    def command(self, script: str, options: Mapping[str, object]) -> list[str]:
        return [self.node, str(self.folder / script), json.dumps(options)]

    def run(self, script: str, options: Mapping[str, object]) -> Mapping[str, object]:
        """Run a script to its end; answers what it printed."""
        done = subprocess.run(self.command(script, options), capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        answer: Mapping[str, object] = json.loads(done.stdout.splitlines()[-1])
        return answer


@pytest.fixture(scope="session")
def node_clients() -> NodeClients:
    """Skips where there is no Node, none that is new enough, or no registry to install the packages from."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("these clients run on Node, which is not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        pytest.skip(f"these clients need Node {OLDEST_NODE} or newer, and this is {version.strip()}")
    try:
        return NodeClients(node, _installed(npm))
    except subprocess.CalledProcessError as error:
        pytest.skip(f"npm could not install these clients (exit code {error.returncode})")


def _installed(npm: str) -> Path:
    """A folder with the packages, in a folder of its own in it a copy of the scripts; their names tell what they hold.

    One process installs, the others wait.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "imagegallery-tests"
    packages = cache / _digest([HERE / "package.json"])
    scripts = sorted(HERE.glob("*.mjs"))
    folder = packages / _digest(scripts)
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{packages.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (packages / "ready").exists():
            shutil.rmtree(packages, ignore_errors=True)
            packages.mkdir()
            shutil.copy(HERE / "package.json", packages)
            subprocess.run([npm, *INSTALL], cwd=packages, check=True)
            (packages / "ready").touch()
        folder.mkdir(exist_ok=True)
        for script in scripts:
            shutil.copy(script, folder)
    return folder


def _digest(files: list[Path]) -> str:
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:16]


@pytest.fixture
def user() -> str:
    """A user nobody has seen before: tests share the service, not its contents."""
    return f"user-{uuid4()}"


@pytest.fixture
def token(user: str) -> str:
    return token_of(user)


@pytest.fixture(scope="module")
def served(database_server: DatabaseServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedUploads]:
    with served_uploads(database_server, tmp_path_factory.mktemp("served") / "data") as served:
        yield served


@pytest.fixture
def network(served: ServedUploads) -> Iterator[FailingNetwork]:
    """Stands between clients and the service's API; it works until it is told otherwise."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(FailingNetwork.before(served.api)) as it:
        yield it


def end_unheard_of(served: ServedUploads, user: str) -> None:
    """End the uploads whose creation was not heard of, as time would: they are open, and have nothing."""
    begun = served.rows("SELECT id, state, received_offset FROM upload_sessions WHERE owner_id = $1", user)
    headers = {"Authorization": f"Bearer {token_of(user)}"}
    for upload_id, state, received in begun:
        if state not in ("completed", "cancelled"):
            assert (state, received) == ("pending", 0)
            assert httpx.delete(f"{served.api}/uploads/{upload_id}", headers=headers).status_code == 204
