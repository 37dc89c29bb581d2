"""How the service is run: what it refuses to do, what it counts over several processes, what it needs installed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.requests import Request

from imagegallery import ConfigurationError, Principal, Role, Settings
from imagegallery_asgi import server

JWT_KEY = "IMAGEGALLERY_JWT_KEY"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "example.org"])
def test_without_sign_in_only_this_machine_is_served(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(JWT_KEY, raising=False)
    with pytest.raises(ConfigurationError, match=JWT_KEY):
        server.serve(host=host, port=1)


def test_a_key_means_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(JWT_KEY, "a secret of at least thirty-two bytes")
    monkeypatch.setenv("IMAGEGALLERY_JWT_ALGORITHMS", "none")
    with pytest.raises(ConfigurationError):
        server.authentication(Settings.from_env())


SIGN_IN = {
    "IMAGEGALLERY_JWT_KEY": "a secret of at least thirty-two bytes",
    "IMAGEGALLERY_JWT_ALGORITHMS": "HS256",
    "IMAGEGALLERY_JWT_AUDIENCE": "photos",
    "IMAGEGALLERY_JWT_ISSUER": "us",
}


@pytest.mark.parametrize("empty", sorted(SIGN_IN))
@pytest.mark.parametrize("value", ["", "  "])
def test_a_variable_of_sign_in_that_is_empty_is_named(empty: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An orchestrator that lost a secret must not leave the service without sign-in."""
    for name in SIGN_IN:
        monkeypatch.setenv(name, SIGN_IN[name] if name != empty else value)
    with pytest.raises(ConfigurationError, match=f"^{empty}: set but empty"):
        server.authentication(Settings.from_env())


def test_sign_in_without_a_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(JWT_KEY, raising=False)
    monkeypatch.setenv("IMAGEGALLERY_JWT_AUDIENCE", "photos")
    with pytest.raises(ConfigurationError, match="IMAGEGALLERY_JWT_AUDIENCE without IMAGEGALLERY_JWT_KEY"):
        server.authentication(Settings.from_env())


def test_blanks_between_algorithms_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SIGN_IN.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("IMAGEGALLERY_JWT_ALGORITHMS", " HS256 , HS384")
    monkeypatch.setenv(JWT_KEY, "k" * 48)
    server.authentication(Settings.from_env())


def run(*command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *command], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def test_a_wrong_setting_is_one_line_and_an_exit_code() -> None:
    ended = run("-m", "imagegallery_asgi.server", IMAGEGALLERY_JWT_KEY="too short")
    assert ended.returncode == 1
    assert ended.stderr == "Error: The key for HS256 must have at least 32 bytes.\n"
    assert ended.stderr.count("\n") == 1


COUNT = """
from imagegallery.queue.job import QueueStats
from imagegallery_asgi.framework.metrics import Metrics
metrics = Metrics()
metrics.answered("GET", "/healthz", 200, 0.1)
print(metrics.render(QueueStats(3, 2, 1)).decode())
"""


def test_several_processes_are_counted_together(tmp_path: Path) -> None:
    first, second = (run("-c", COUNT, PROMETHEUS_MULTIPROC_DIR=str(tmp_path)).stdout for _ in range(2))
    sample = 'imagegallery_http_requests_total{method="GET",route="/healthz",status="200"}'
    assert f"{sample} 1.0" in first
    assert f"{sample} 2.0" in second
    assert 'imagegallery_queue_jobs{state="waiting"} 3.0' in second


def test_a_missing_extra_is_named() -> None:
    ended = run("-c", "import sys; sys.modules['starlette'] = None; import imagegallery_asgi")
    assert re.search(r"pip install .*'starlette>=[\d.]+'", ended.stderr.splitlines()[-1])


def test_the_user_of_this_machine_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(JWT_KEY, raising=False)
    headers = [(b"host", b"localhost:8000")]
    request = Request({"type": "http", "method": "GET", "headers": headers, "client": ("127.0.0.1", 1), "path": "/"})
    assert server.authentication(Settings.from_env())(request) == Principal.user("owner", role=Role.ADMIN)
