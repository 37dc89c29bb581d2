"""Options that several commands have, and the settings they add up to."""

from pathlib import Path

import attrs
import click

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
    """The settings of files and environment, with what the command line says on top."""
    settings = Settings.from_env(config)
    chosen = settings.data_dir if data_dir is None else data_dir
    return attrs.evolve(settings, data_dir=chosen.absolute())
