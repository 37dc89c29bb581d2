"""The application that a command works for: ``--app package.module:name``."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs
from attrs import frozen

from imagegallery.common.imported import import_named
from imagegallery.errors import ConfigurationError
from imagegallery.gallery import Definition, ImageGallery, OpenGallery
from imagegallery.settings import ENV_PREFIX, Settings
from imagegallery.sync.gallery import SyncGallery

APP_VARIABLE: Final = f"{ENV_PREFIX}APP"
"""Set by `imagegallery serve` for its processes, along with where the data directory and its database are."""


@frozen
class Application:
    """A gallery as the application defines it, with the settings that it is opened with."""

    definition: Definition
    settings: Settings

    @classmethod
    def load(cls, name: str | None, data_dir: Path | None, config: Path | None) -> "Application":
        """Import the application of this ``name``, from the working directory, too; without one, settings are all.

        The settings are those that the application gave, or else of ``config`` and the environment. ``data_dir`` takes
        precedence.

        Raises:
            ConfigurationError: For a name that names no gallery, and for settings that cannot work.
        """
        definition = ImageGallery.define() if name is None else load_definition(name)
        settings = definition.load_settings(config)
        return cls(definition, attrs.evolve(settings, data_dir=(data_dir or settings.data_dir).absolute()))

    @classmethod
    def of_process(cls, variables: Mapping[str, str] | None = None) -> "Application":
        """That of a process of `imagegallery serve`, or one of settings of the environment alone.

        Raises:
            ConfigurationError: As `load`.
        """
        given = os.environ if variables is None else variables
        name = given.get(APP_VARIABLE)
        if name is None:
            return cls.load(None, None, None)
        served = cls.load(name, Path(given[f"{ENV_PREFIX}DATA_DIR"]), None)
        database = attrs.evolve(served.settings.database, dsn=given[f"{ENV_PREFIX}DATABASE_DSN"])
        return attrs.evolve(served, settings=attrs.evolve(served.settings, database=database))

    def open(self) -> OpenGallery:
        return self.definition.open(self.settings)


def load_definition(name: str) -> Definition:
    """The definition of this name, or that of a gallery. Raises `ConfigurationError`."""
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    found = import_named(name, "--app")
    if isinstance(found, OpenGallery | SyncGallery):
        found = found.definition
    if not isinstance(found, Definition):
        raise ConfigurationError(
            f"--app: {name!r} is of the class {type(found).__name__}: name what ImageGallery.define(...),"
            " ImageGallery.open(...) or open_gallery(...) returned."
        )
    return found
