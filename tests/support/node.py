"""Programs of others that run on Node, as they are published: installed once into a cache of this machine's."""

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

OLDEST_NODE = 20
INSTALL = ("install", "--no-audit", "--no-fund", "--silent")


@frozen
class NodePrograms:
    """Runs the scripts of a folder where their packages are."""

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


def node_programs(sources: Path) -> NodePrograms:
    """The scripts (``*.mjs``) and packages (``package.json``) of a folder.

    Skips where there is no Node, none that is new enough, or no registry to install the packages from.
    """
    node, npm = find_node(), shutil.which("npm")
    if npm is None:
        pytest.skip("these programs are installed by npm, which is not installed")
    try:
        return NodePrograms(node, _installed(npm, sources))
    except subprocess.CalledProcessError as error:
        pytest.skip(f"npm could not install these programs (exit code {error.returncode})")


def find_node() -> str:
    """Node's program. Skips where there is none that is new enough."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("these programs run on Node, which is not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        pytest.skip(f"these programs need Node {OLDEST_NODE} or newer, and this is {version.strip()}")
    return node


def _installed(npm: str, sources: Path) -> Path:
    """A folder with the packages, in a folder of its own in it a copy of the scripts; their names tell what they hold.

    One process installs, the others wait.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "imagegallery-tests"
    packages = cache / _digest([sources / "package.json"])
    scripts = sorted([*sources.glob("*.mjs"), *sources.glob("*.ts")])
    folder = packages / _digest(scripts)
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{packages.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (packages / "ready").exists():
            shutil.rmtree(packages, ignore_errors=True)
            packages.mkdir()
            shutil.copy(sources / "package.json", packages)
            subprocess.run([npm, *INSTALL], cwd=packages, check=True)
            (packages / "ready").touch()
        folder.mkdir(exist_ok=True)
        for script in scripts:
            shutil.copy(script, folder)
    return folder


def _digest(files: list[Path]) -> str:
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:16]
