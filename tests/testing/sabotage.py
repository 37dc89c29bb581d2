"""What shows that the storage suite is worth what it catches: stores that break one promise, and its tests on them."""

from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import TypeVar

import pytest

from imagegallery.clock import utc_now
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.signatures import UrlSigner
from imagegallery.testing.storage.base import StoreTests

SECRET = b"a secret of the tests"
# What a test that fails raises.
FAILURES = (Exception, BaseExceptionGroup, pytest.fail.Exception)

Kind = TypeVar("Kind", bound=type[FilesystemStore])


class Sabotages(dict[type[FilesystemStore], list[str]]):
    """Each store that breaks a promise, with the tests that must notice."""

    def caught_by(self, *names: str) -> Callable[[Kind], Kind]:
        """The tests of the suite, each of which must fail for this store."""

        def register(store: Kind) -> Kind:
            self[store] = [f"test_{name}" for name in names]
            return store

        return register

    @property
    def caught(self) -> set[str]:
        """The tests that have noticed something."""
        return {name for names in self.values() for name in names}


class StoresOf(StoreTests):
    """A suite's tests on stores of one kind, each in a directory of its own."""

    def __init__(self, kind: type[FilesystemStore], root: Path) -> None:
        self._kind = kind
        self._roots = (root / str(number) for number in count())

    async def make_store(self) -> FilesystemStore:
        return self._kind(next(self._roots), UrlSigner(SECRET, utc_now))


def names_of_tests(*suites: type) -> set[str]:
    return {name for suite in suites for name in dir(suite) if name.startswith("test_")}


async def run(suite: StoreTests, name: str) -> None:
    """Run one test of the suite, as often as it is parametrized."""
    test: Callable[..., Awaitable[None]] = getattr(suite, name)
    marks: list[pytest.Mark] = getattr(test, "pytestmark", [])
    for values in marks[0].args[1] if marks else [()]:
        await test(*(values if isinstance(values, tuple) else (values,)))


async def each_notices(suite: StoreTests, names: list[str]) -> None:
    for name in names:
        with pytest.raises(FAILURES):
            await run(suite, name)
