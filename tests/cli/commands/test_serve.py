"""``imagegallery serve`` as a user runs it: a process, a folder, Ctrl-C, and again."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from tests.cli.conftest import InProcess
from tests.support.servers.object_store import SharedObjectStore
from tests.support.servers.redis import RedisServer
from tests.support.servers.service import RunningService, running_service
from tests.support.studio import picture
from tests.support.waiting import until

import redis
from imagegallery.dev_stack.object_store import AWS, BUCKET
from imagegallery.dev_stack.ports import free_port


@pytest.fixture
def knows_nobody() -> Iterator[str]:
    """Answers as SQS does to a key that it has never heard of: moto checks none."""

    class Refusing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = b'{"__type": "com.amazon.coral.service#UnrecognizedClientException", "message": "wr0ng is invalid."}'
            self.send_response(403)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: what is on stderr is looked at."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def wrong_secrets(
    object_store_server: SharedObjectStore,
    redis_server: RedisServer,
    knows_nobody: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[str], None]]:
    """Sets what leads to servers that let nobody in with it."""
    with redis.Redis(port=redis_server.port) as client:
        client.config_set("requirepass", "the password")
    named = {
        "S3": {
            "STORAGE_S3_BUCKET": BUCKET,
            "STORAGE_S3_ENDPOINT_URL": object_store_server.url,
            "AWS_ACCESS_KEY_ID": str(AWS.access_key_id),
            "AWS_SECRET_ACCESS_KEY": "wr0ng",
        },
        "Redis": {"REDIS_URL": f"redis://:wr0ng@127.0.0.1:{redis_server.port}"},
        "SQS": {
            "QUEUE_SQS_QUEUE_URL": "https://sqs.test/123456789012/jobs",
            "QUEUE_SQS_ENDPOINT_URL": knows_nobody,
            "AWS_ACCESS_KEY_ID": "stranger",
            "AWS_SECRET_ACCESS_KEY": "wr0ng",
        },
    }

    def use(part: str) -> None:
        for name, value in named[part].items():
            monkeypatch.setenv(f"IMAGEGALLERY_{name}", value)

    yield use
    redis_server.restart()


@pytest.mark.parametrize("part", ["S3", "Redis", "SQS"])
def test_wrong_secrets_are_one_line_and_exit_code_one(
    part: str, wrong_secrets: Callable[[str], None], in_process: InProcess, tmp_path: Path
) -> None:
    wrong_secrets(part)
    done = in_process("serve", "--port", str(free_port()), "--data-dir", str(tmp_path / "data"))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "wr0ng" not in done.stderr
    assert not (tmp_path / "data" / "postgres").exists(), "nothing was started"


def _upload(service: RunningService, photo: bytes) -> str:
    """Upload in one call; answers the path of the image."""
    with httpx.Client(base_url=f"{service.url}/api/v1") as client:
        gallery = client.post("/galleries", json={"name": "Lisbon", "visibility": "public"}).raise_for_status()
        uploaded = client.post(
            f"/galleries/{gallery.json()['data']['id']}/uploads",
            content=photo,
            headers={"Content-Type": "image/jpeg"},
        ).raise_for_status()
    return f"/api/v1/images/{uploaded.json()['data']['id']}"


def _image(service: RunningService, path: str) -> dict[str, object]:
    data: dict[str, object] = httpx.get(f"{service.url}{path}").raise_for_status().json()["data"]
    return data


def test_photos_are_still_there_after_ctrl_c_and_after_kill_minus_nine(small_presets: Path, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with running_service(data_dir) as service:
        image = _upload(service, picture(640, 480))
        until(lambda: _image(service, image)["processing_status"] == "complete")
        said = service.log.read_text()
        assert service.url in said
        assert str(data_dir) in said
        assert service.interrupt() == 0
        assert not _processes_below(data_dir)
    with running_service(data_dir) as again:
        assert _image(again, image)["processing_status"] == "complete"
        late = _upload(again, picture(480, 640))
        again.kill()
    with running_service(data_dir) as again:
        until(lambda: _image(again, late)["processing_status"] == "complete")
        assert _image(again, image)["processing_status"] == "complete"


def _processes_below(data_dir: Path) -> list[bytes]:
    """Command lines of processes that still name the data directory (on systems that tell)."""
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            lines.append((process / "cmdline").read_bytes())
    return [line for line in lines if str(data_dir).encode() in line]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--host", "0.0.0.0"), "needs sign-in"),
        (("--config", "missing.toml"), "does not exist"),
        (("--data-dir", "/dev/null/data"), "/dev/null/data"),
    ],
)
def test_what_cannot_work_is_one_line_and_exit_code_one(
    options: tuple[str, ...], message: str, in_process: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = in_process("serve", "--port", str(free_port()), *options)
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "imagegallery.cli", "serve", "--port", port, "--data-dir", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: Cannot listen on 127.0.0.1:{port}")
    assert len(done.stderr.splitlines()) == 1
