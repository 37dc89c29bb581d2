"""What ``imagegallery doctor`` says of Redis."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from imagegallery.testing.redis import RedisServer
from imagegallery.testing.service import free_port


def examined(data_dir: Path, url: str | None) -> dict[str, str]:
    """The line about Redis."""
    environment = os.environ | ({} if url is None else {"IMAGEGALLERY_REDIS_URL": url})
    command = [sys.executable, "-m", "imagegallery.cli", "doctor", "--json", "--data-dir", str(data_dir)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    lines: list[dict[str, str]] = [json.loads(line) for line in done.stdout.splitlines()]
    (line,) = [line for line in lines if line["name"] == "redis"]
    return line


def test_redis_need_not_be_there(tmp_path: Path) -> None:
    assert examined(tmp_path, None)["level"] == "ok"


def test_redis_that_answers_is_in_order(tmp_path: Path, redis_server: RedisServer) -> None:
    assert examined(tmp_path, redis_server.url)["detail"] == "answers"


def test_redis_that_does_not_answer_is_a_warning(tmp_path: Path) -> None:
    line = examined(tmp_path, f"redis://me:s3cret@127.0.0.1:{free_port()}")
    assert line["level"] == "warning"
    assert line["remedy"]
    assert "s3cret" not in str(line)


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost"])
def test_an_address_that_is_none_is_an_error(tmp_path: Path, url: str) -> None:
    line = examined(tmp_path, url)
    assert (line["level"], "redis.url" in line["detail"]) == ("error", True)
