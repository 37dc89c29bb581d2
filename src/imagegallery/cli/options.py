"""Options that several commands share, and the settings they give."""

from pathlib import Path

import attrs
import click

from imagegallery.cli.output import say_where
from imagegallery.errors import ConfigurationError
from imagegallery.settings import Settings

data_dir_option = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the embedded database and the objects lie.  [default: imagegallery-data]",
)
config_option = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A TOML file with a table [imagegallery].",
)


def load_settings(data_dir: Path | None, config: Path | None) -> Settings:
    """Read the settings of file and environment, overridden by the command line."""
    settings = Settings.from_env(config)
    chosen = settings.data_dir if data_dir is None else data_dir
    return attrs.evolve(settings, data_dir=chosen.absolute())


def find_settings(data_dir: Path | None, config: Path | None) -> Settings:
    """Read them for a command that only looks: it makes no data directory, and prints which one it found.

    Raises `ConfigurationError` if there is none.
    """
    settings = load_settings(data_dir, config)
    if settings.database.dsn is None and not settings.data_dir.is_dir():
        raise ConfigurationError(
            f"There is no data directory {settings.data_dir}. Name another one with --data-dir; "
            "`imagegallery serve` and `imagegallery import` make one."
        )
    say_where(settings.data_dir)
    return settings
