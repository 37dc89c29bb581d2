"""Processes of the operating system that share a database and a Redis, which dies on them."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from tests.support.library import Library
from tests.support.servers.redis import RedisServer

from imagegallery.principal import Principal

ANA = Principal.user("ana")
ROOT = Path(__file__).parents[2]


class Reader:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, gallery_id: UUID) -> tuple[str, str]:
        """How the page was come by, and the name on it."""
        result, _, name = self._answer(str(gallery_id)).partition(" ")
        return result, name

    def hear(self, gallery_id: UUID) -> None:
        """Return when it has heard of the gallery: what others make from now on, it believes."""
        assert self._answer(f"hear {gallery_id}") == "heard"

    def _answer(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


@contextmanager
def running_reader(dsn: str, redis_url: str) -> Iterator[Reader]:
    command = [sys.executable, "-m", "tests.cache.reader", dsn, redis_url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield Reader(process)
        finally:
            process.kill()


@pytest.fixture
def readers(database_dsn: str, redis_server: RedisServer) -> Iterator[list[Reader]]:
    redis_server.command("FLUSHALL")
    with ExitStack() as stack:
        yield [stack.enter_context(running_reader(database_dsn, redis_server.url)) for _ in range(2)]


async def test_each_sees_every_change_whatever_becomes_of_redis(
    library: Library, readers: list[Reader], redis_server: RedisServer
) -> None:
    gallery = await library.galleries.create(ANA, name="Lisbon", visibility="public")
    one, two = readers
    two.hear(gallery.id)
    assert one.ask(gallery.id) == ("miss", "Lisbon")
    assert two.ask(gallery.id) == ("shared", "Lisbon")
    assert two.ask(gallery.id) == ("hit", "Lisbon")

    redis_server.command("SAVE")
    for number, happens in enumerate([lambda: None, redis_server.kill, lambda: None, redis_server.start]):
        happens()
        await library.galleries.update(ANA, gallery.id, name=f"Lisbon {number}")
        assert [reader.ask(gallery.id)[1] for reader in readers] == [f"Lisbon {number}"] * 2
    redis_server.dump.unlink()
