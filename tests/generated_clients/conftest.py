"""What others make of the description: programs that read it, as they are published."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from attrs import frozen
from tests.support.node import node_programs

from imagegallery.gallery import EVENT_TYPES
from imagegallery_asgi.framework.openapi import BEARER, Description
from imagegallery_asgi.routes import EVERYTHING, READ_ONLY, chosen

HERE = Path(__file__).parent
# They would ask their makers for news.
SILENT = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "DO_NOT_TRACK": "1"}


@frozen
class Programs:
    """What npm installed, run in a folder of the test that finds its packages."""

    packages: Path
    folder: Path

    def run(self, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        """Run one to its end; answers what it printed."""
        command = [str(self.packages / "node_modules" / ".bin" / name), *arguments]
        return run(command, self.folder, {**SILENT, **(environment or {})})


def run(command: list[str], folder: Path, environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **(environment or {})}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def packages() -> Path:
    return node_programs(HERE).folder.parent


@pytest.fixture
def programs(packages: Path, tmp_path: Path) -> Programs:
    (tmp_path / "node_modules").symlink_to(packages / "node_modules")
    return Programs(packages, tmp_path)


@pytest.fixture
def descriptions(tmp_path: Path) -> list[str]:
    """Of everything, and of what a host may choose to mount."""
    some = {"all": EVERYTHING, "read": READ_ONLY, "files": {"uploads", "files"}, "hooks": {"webhooks"}}
    files = {name: tmp_path / f"{name}.json" for name in some}
    for name, wanted in some.items():
        events, schemes = ({}, {}) if name == "files" else (EVENT_TYPES, BEARER)
        files[name].write_text(json.dumps(Description(chosen(wanted), events, schemes).document("/api/v1")))
    return [str(file) for file in files.values()]
