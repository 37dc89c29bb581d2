"""What ``imagegallery doctor`` says of Redis."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import InProcess
from tests.support.servers.redis import RedisServer

from imagegallery.dev_stack.ports import free_port

Examined = Callable[[str | None], dict[str, str]]


@pytest.fixture
def examined(in_process: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Examined:
    """The line about Redis, for a URL of it."""

    def line(url: str | None) -> dict[str, str]:
        if url is not None:
            monkeypatch.setenv("IMAGEGALLERY_REDIS_URL", url)
        done = in_process("doctor", "--json", "--data-dir", str(tmp_path))
        lines: list[dict[str, str]] = [json.loads(line) for line in done.stdout.splitlines()]
        (found,) = [line for line in lines if line["name"] == "redis"]
        return found

    return line


def test_redis_need_not_be_there(examined: Examined) -> None:
    assert examined(None)["level"] == "ok"


def test_redis_that_answers_is_in_order(examined: Examined, redis_server: RedisServer) -> None:
    assert examined(redis_server.url)["detail"] == "answers"


def test_redis_that_does_not_answer_is_a_warning(examined: Examined) -> None:
    line = examined(f"redis://me:s3cret@127.0.0.1:{free_port()}")
    assert line["level"] == "warning"
    assert line["remedy"]
    assert "s3cret" not in str(line)


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost"])
def test_an_address_that_is_none_is_an_error(examined: Examined, url: str) -> None:
    line = examined(url)
    assert (line["level"], "redis.url" in line["detail"]) == ("error", True)
