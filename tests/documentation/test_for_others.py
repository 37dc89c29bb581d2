"""A service for others, as its page has it: people sign in by tokens, and a backup brings everything back."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from attrs import define, field
from tests.support.servers.service import RunningService, running_service
from tests.support.studio import picture
from tests.support.waiting import until

from code_blocks import blocks_of

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
PAGE = HOW_TO / "for-others.md"
JPEG = {"Content-Type": "image/jpeg"}


def code_with(text: str) -> str:
    (code,) = (block.code for block in blocks_of(PAGE.read_text()) if block.runner and text in block.code)
    return code


@define
class Machine:
    """A folder in the place of ``/``, with a service in the place of systemd's."""

    root: Path
    stack: ExitStack = field(factory=ExitStack)
    service: RunningService | None = None

    @property
    def data_dir(self) -> Path:
        return self.root / "var" / "lib" / "imagegallery" / "data"

    @property
    def environment(self) -> Mapping[str, str]:
        lines = (self.root / "etc" / "imagegallery" / "one-machine.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def run(self, script: str) -> str:
        """What the commands of the page print. What systemd is told is done here, in its place."""
        printed, assignments = "", "\n".join(re.findall(r"^[A-Z]+=.*$", script, re.MULTILINE))
        for part in re.split(r"^(systemctl .*)\n", script, flags=re.MULTILINE):
            if part.startswith("systemctl"):
                self._control(part)
            else:
                printed += self._sh(f"{assignments}\n{part}")
        return printed

    def _control(self, command: str) -> None:
        self.stack.close()
        if " stop " not in command:
            self.service = self.stack.enter_context(running_service(self.data_dir, environment=self.environment))

    def _sh(self, script: str) -> str:
        local = re.sub(r"(?<![\w.])/(var|etc)/", rf"{self.root}/\1/", script).replace("sudo -u imagegallery ", "")
        local = local.replace("/opt/imagegallery/bin/imagegallery", f"{sys.executable} -m imagegallery.cli")
        if self.service:
            local = local.replace("http://127.0.0.1:8000", self.service.url)
        done = subprocess.run(["sh", "-euc", local], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def client(self, token: str | None = None) -> httpx.Client:
        assert self.service
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=f"{self.service.url}/api/v1", headers=headers, timeout=60)

    def token(self, user: str) -> str:
        command = [sys.executable, "-c", code_with("import jwt"), user]
        environment = {**os.environ, **self.environment}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    for folder in ("var/lib/imagegallery", "var/backups"):
        (tmp_path / folder).mkdir(parents=True)
    machine = Machine(tmp_path)
    yield machine
    machine.stack.close()


def test_people_sign_in_and_a_backup_brings_everything_back(machine: Machine) -> None:
    machine.run(code_with("token_urlsafe"))
    assert (machine.root / "etc" / "imagegallery" / "one-machine.env").stat().st_mode & 0o077 == 0
    assert '"ok"' in machine.run(code_with("enable --now"))

    token = machine.token("ada")
    with machine.client(token) as ada, machine.client() as visitor:
        assert ada.get("/me").json()["data"]["id"] == "ada"
        assert visitor.post("/galleries", json={"name": "Lisbon"}).status_code == 401
        gallery = ada.post("/galleries", json={"name": "Lisbon"}).json()["data"]["id"]
        added = ada.post(f"/galleries/{gallery}/uploads?filename=tram.jpg", content=picture(320, 240), headers=JPEG)
        image = f"/images/{added.json()['data']['id']}"
        until(lambda: ada.get(image).json()["data"]["processing_status"] == "complete")

    machine.run(code_with("rm -rf $BACKUP/postgres"))
    with machine.client(token) as ada:
        assert ada.delete(f"/galleries/{gallery}").status_code == 204
    machine.run(code_with("rm -rf $DATA"))
    with machine.client(token) as ada:
        (found,) = ada.get(f"/galleries/{gallery}/images").json()["data"]
        assert ada.get(ada.base_url.join(found["src"])).headers["Content-Type"] == "image/webp"
    looked = machine.run(code_with("doctor"))
    assert "error" not in looked
    assert "nothing wrong" in looked


def test_the_proxy_on_the_page_is_the_file_s() -> None:
    (shown,) = (block.code for block in blocks_of(PAGE.read_text()) if block.language == "caddy")
    assert (HOW_TO / "deploy" / "Caddyfile").read_text().endswith(f"\n{shown}")
