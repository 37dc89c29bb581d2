"""A pytest plugin for the tests of applications: the fixtures ``imagegallery`` and ``sync_imagegallery``.

It is there where the package is installed, and imports nothing before a test asks for one of its fixtures.
"""

import os
from collections.abc import AsyncIterator, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from imagegallery import ImageGallery, Settings
    from imagegallery.gallery import Definition
    from imagegallery.storage.protocol import ObjectStore
    from imagegallery.sync import SyncGallery
    from imagegallery.testing.shared_parts import SharedParts

DSN = "imagegallery_dsn"
DSN_VARIABLE = "IMAGEGALLERY_TEST_DSN"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Read the address of the application's test database from its configuration."""
    parser.addini(
        DSN, f"the PostgreSQL database of tests; by default {DSN_VARIABLE}, or an embedded server's", default=""
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_fixture_setup(fixturedef: "pytest.FixtureDef[Any]", request: pytest.FixtureRequest) -> Generator[None]:
    """Let pytest-asyncio, in its strict mode too, run the fixture for its tests, and anyio for those of its own."""
    if fixturedef.func is _open:
        _open._force_asyncio_fixture = "anyio_backend" not in request.fixturenames  # type: ignore[attr-defined]
    return (yield)


@pytest.fixture(scope="session")
def imagegallery_dsn(pytestconfig: pytest.Config) -> str | None:
    """The database that tests use: override it with your own. ``None``: one on an embedded server."""
    return pytestconfig.getini(DSN) or os.environ.get(DSN_VARIABLE) or None


@pytest.fixture(scope="session")
def imagegallery_schema(pytestconfig: pytest.Config, imagegallery_dsn: str | None) -> str:
    """The schema that tests use. Processes that share a database by its address each have one of their own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    is_shared = imagegallery_dsn in (pytestconfig.getini(DSN), os.environ.get(DSN_VARIABLE))
    return f"imagegallery_{worker}" if worker and imagegallery_dsn and is_shared else "imagegallery"


@pytest.fixture(scope="session")
def imagegallery_parts(
    imagegallery_dsn: str | None, imagegallery_schema: str, tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[SharedParts]":
    """The database and the decoders of a session."""
    from imagegallery.testing.shared_parts import SharedParts

    folder = tmp_path_factory.mktemp("imagegallery")
    with SharedParts.running(imagegallery_dsn, imagegallery_schema, folder) as parts:
        yield parts


@pytest.fixture
def imagegallery_settings(imagegallery_parts: "SharedParts") -> "Settings":
    """The settings of this test's gallery, which is empty: override it to change them."""
    imagegallery_parts.empty()
    return imagegallery_parts.settings


@pytest.fixture
def imagegallery_store() -> "ObjectStore":
    """The objects of this test: in memory."""
    from imagegallery.testing.memory_store import MemoryStore

    return MemoryStore()


@pytest.fixture
def imagegallery_definition() -> "Definition":
    """What is opened: override it with what your code made by `ImageGallery.define`, and its functions are called."""
    from imagegallery import ImageGallery

    return ImageGallery.define()


@pytest.fixture
def imagegallery_eager() -> bool:
    """Whether variants are made, and functions that receive events called, before a call returns: override it to do
    without, or to run a worker."""
    return True


async def _open(
    imagegallery_definition: "Definition",
    imagegallery_settings: "Settings",
    imagegallery_store: "ObjectStore",
    imagegallery_parts: "SharedParts",
    imagegallery_eager: bool,
) -> "AsyncIterator[ImageGallery]":
    """An open gallery for one test, which is empty."""
    async with imagegallery_parts.opened(
        imagegallery_definition, imagegallery_settings, imagegallery_store, eager=imagegallery_eager
    ) as gallery:
        yield gallery


imagegallery = pytest.fixture(name="imagegallery")(_open)


@pytest.fixture
def sync_imagegallery(
    imagegallery_definition: "Definition",
    imagegallery_settings: "Settings",
    imagegallery_store: "ObjectStore",
    imagegallery_parts: "SharedParts",
    imagegallery_eager: bool,
) -> "Iterator[SyncGallery]":
    """The same for applications without an event loop."""
    from imagegallery.sync.gallery import SyncGallery
    from imagegallery.sync.portal import Portal

    def opening() -> "AbstractAsyncContextManager[ImageGallery]":
        return imagegallery_parts.opened(
            imagegallery_definition, imagegallery_settings, imagegallery_store, eager=imagegallery_eager
        )

    with SyncGallery(Portal(opening), imagegallery_definition) as gallery:
        yield gallery
