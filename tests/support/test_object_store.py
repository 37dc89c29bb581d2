"""The S3 server of the tests: shared, found again after a crash, and gone with the last of its users."""

import json
import os
import urllib.request
from pathlib import Path

from tests.support.servers.object_store import SharedObjectStore

from imagegallery.dev_stack.object_store import AWS


def answers(server: SharedObjectStore) -> bool:
    with urllib.request.urlopen(f"{server.url}/healthz", timeout=10) as answer:
        return bool(answer.status == 200)


def test_users_share_one_server_and_the_last_one_stops_it(tmp_path: Path) -> None:
    directory = tmp_path / "objects"
    with SharedObjectStore.shared(directory) as first:
        with SharedObjectStore.shared(directory) as second:
            assert second == first
            assert first.options().prefix != first.options().prefix
        assert answers(first), "it stays for those who still use it"
        _leave_a_server_that_was_killed(directory, first)
        with SharedObjectStore.shared(directory) as third:
            assert third.pid != first.pid
            assert answers(third)
    assert third.is_gone()
    assert not directory.exists()


def _leave_a_server_that_was_killed(directory: Path, server: SharedObjectStore) -> None:
    os.kill(server.pid, 9)
    os.waitpid(server.pid, 0)
    assert json.loads((directory / "server.json").read_text())["pid"] == server.pid


async def test_a_server_by_itself_takes_the_keys_of_the_tests(tmp_path: Path) -> None:
    async with SharedObjectStore.running(tmp_path) as server:
        assert answers(server)
        assert AWS.access_key_id is not None
    assert server.is_gone()
