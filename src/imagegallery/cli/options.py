"""Options that several commands share, and the gallery that they choose."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TypeVar

import click
from attrs import frozen

from imagegallery.application import Application
from imagegallery.cli.output import say_where
from imagegallery.errors import ConfigurationError
from imagegallery.settings import Settings

T = TypeVar("T")

_DATA_DIR = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the embedded database and the objects lie.  [default: imagegallery-data]",
)
config_option = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A TOML file with a table [imagegallery].",
)
_APP = click.option("--app", metavar="MODULE:NAME", help="Your application's gallery, as ImageGallery.define made it.")


@frozen
class Chosen:
    """The gallery that the command line chooses."""

    data_dir: Path | None = None
    config: Path | None = None
    app: str | None = None

    def load(self) -> Application:
        """The application, or else settings of file and environment, overridden by the command line.

        Raises:
            ConfigurationError: For an application that cannot be imported, and settings that cannot be read.
        """
        if self == Chosen():  # it may be a process of `serve`
            return Application.of_process()
        return Application.load(self.app, self.data_dir, self.config)

    @property
    def settings(self) -> Settings:
        return self.load().settings

    def find(self) -> Application:
        """As `load`, for a command that only looks: it makes no data directory, and prints which one it found.

        Raises:
            ConfigurationError: If there is none, and as `load`.
        """
        found = self.load()
        data_dir = found.settings.data_dir
        if found.settings.database.dsn is None and not data_dir.is_dir():
            raise ConfigurationError(
                f"There is no data directory {data_dir}. Name another one with --data-dir; "
                "`imagegallery serve` and `imagegallery import` make one."
            )
        say_where(data_dir)
        return found


def gallery_options(command: Callable[..., T]) -> Callable[..., T]:
    """Give the command the options ``--data-dir``, ``--config`` and ``--app``, as its argument ``chosen``."""

    @_DATA_DIR
    @config_option
    @_APP
    @wraps(command)
    def run(data_dir: Path | None, config: Path | None, app: str | None, **others: object) -> T:
        return command(chosen=Chosen(data_dir, config, app), **others)

    return run
