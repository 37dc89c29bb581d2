"""Clients that others wrote, as they are published: Node's packages, installed once into a cache of this machine's."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from attrs import frozen

HERE = Path(__file__).parent
OLDEST_NODE = 20


@frozen
class NodeClients:
    """Runs the scripts of this folder where their packages are."""

    node: str
    folder: Path

    def command(self, script: str, options: Mapping[str, object]) -> list[str]:
        return [self.node, str(self.folder / script), json.dumps(options)]

    def run(self, script: str, options: Mapping[str, object]) -> "Ended":
        """Run a script to its end."""
        done = subprocess.run(self.command(script, options), capture_output=True, text=True, timeout=300)
        assert done.stdout, done.stderr
        return Ended(done.returncode, json.loads(done.stdout.splitlines()[-1]))


@frozen
class Ended:
    """A script's exit code, and what it printed."""

    code: int
    answer: Mapping[str, object]


@pytest.fixture(scope="session")
def node_clients() -> NodeClients:
    """Skips where there is no Node, or none that is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("these clients run on Node, which is not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        pytest.skip(f"these clients need Node {OLDEST_NODE} or newer, and this is {version.strip()}")
    return NodeClients(node, _installed(npm))


def _installed(npm: str) -> Path:
    """A folder with the packages and a copy of the scripts; its name tells what it holds. One process installs, the
    others wait."""
    files = sorted([HERE / "package.json", *HERE.glob("*.mjs")])
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "imagegallery-tests"
    folder = cache / digest
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{digest}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for path in files:
                shutil.copy(path, folder)
            subprocess.run([npm, "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)
            (folder / "ready").touch()
    return folder
