"""What all tests of a session share, as to start it takes longer than what most of them ask of it: a database, which is
empty for each, and decoders."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import Final
from uuid import uuid4

import asyncpg
from anyio.from_thread import BlockingPortal, start_blocking_portal
from attrs import evolve, frozen

from imagegallery.database.embedded.server import EmbeddedPostgres
from imagegallery.database.migrate import migrate
from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.gallery import Definition, ImageGallery
from imagegallery.imaging.limits import ImagingOptions
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.settings import Settings
from imagegallery.storage.protocol import ObjectStore
from imagegallery.testing.fast_server import FAST, fastest_place
from imagegallery.testing.records import Cleaner
from imagegallery.testing.shared_engine import SharedEngine
from imagegallery.variants.preset import VariantOptions

_SECRET: Final = "the secret of tests is no secret"  # noqa: S105 - as it says
_QUICK: Final = VariantOptions(presets=tuple(evolve(each, effort=0) for each in VariantOptions().presets))


@frozen
class SharedParts:
    """``options`` lead to the database. Made by `running`."""

    options: DatabaseOptions
    engine: ImagingEngine
    folder: Path
    _portal: BlockingPortal
    _cleaner: Cleaner

    @classmethod
    @contextmanager
    def running(cls, dsn: str | None, schema: str, folder: Path) -> Iterator["SharedParts"]:
        """Use the database at ``dsn``, or one of our own on an embedded server, while the context is open.

        ``folder`` is for files that tests leave. Works in any test runner, and with any event loop of its tests.
        """
        with ExitStack() as stack:
            portal = stack.enter_context(start_blocking_portal())
            if dsn is None:
                dsn = stack.enter_context(portal.wrap_async_context_manager(_own_database()))
            options = DatabaseOptions(dsn=dsn, schema=schema, max_size=5)
            portal.call(_migrate, options)
            cleaner = stack.enter_context(portal.wrap_async_context_manager(Cleaner.connected(options)))
            engine = stack.enter_context(SharedEngine.running(ImagingOptions(processes=2, threads=2)))
            yield cls(options, engine, folder, portal, cleaner)

    @property
    def settings(self) -> Settings:
        """Settings of a gallery in the database. Pictures are encoded with little effort."""
        return Settings(data_dir=self.folder, secret_key=_SECRET, database=self.options, variants=_QUICK)

    @asynccontextmanager
    async def opened(
        self, definition: Definition, settings: Settings, store: ObjectStore, *, eager: bool
    ) -> AsyncIterator[ImageGallery]:
        """A gallery for one test, with the decoders that all share. ``eager``: see `ImageGallery.eager`."""
        async with (
            definition.open(settings, store=store, engine=self.engine) as gallery,
            gallery.eager() if eager else nullcontext(),
        ):
            yield gallery

    def empty(self) -> None:
        """Leave nothing in the gallery of what tests have put there. Raises `NotEmptied`."""
        self._portal.call(self._cleaner.empty)


async def _migrate(options: DatabaseOptions) -> None:
    async with Database.connect(options) as database:
        await migrate(database)


@asynccontextmanager
async def _own_database() -> AsyncIterator[str]:
    """On a server that all processes of a test run share."""
    directory = fastest_place() / f"imagegallery-pytest-{os.geteuid()}"
    name = f"pytest_{uuid4().hex}"
    async with EmbeddedPostgres.running(directory, settings=FAST, temporary=True) as dsn:
        await _administer(dsn, f"CREATE DATABASE {name}")
        # Otherwise it would be that of the role's name, which is our schema's, for the application's tables, too.
        await _administer(dsn, f"ALTER DATABASE {name} SET search_path = public")
        try:
            yield dsn.replace("/imagegallery?", f"/{name}?")
        finally:
            await _administer(dsn, f"DROP DATABASE {name} WITH (FORCE)")


async def _administer(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
