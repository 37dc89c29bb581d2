"""The ``imagegallery`` command: its group, and what every command shares."""

import logging
import sys
from collections.abc import Callable
from importlib.metadata import version

import click

from imagegallery.cli.backfilling import backfill_command
from imagegallery.cli.dev_stack import dev_stack_command
from imagegallery.cli.doctoring import doctor_command
from imagegallery.cli.importing import import_command
from imagegallery.cli.migrating import migrate_command
from imagegallery.cli.queueing import queue_command
from imagegallery.cli.reconciling import reconcile_command
from imagegallery.cli.relaying import relay_command
from imagegallery.cli.rendering import render_command
from imagegallery.cli.serving import serve_command
from imagegallery.cli.storing import storage_group
from imagegallery.cli.uploading import upload_command
from imagegallery.cli.working import worker_command
from imagegallery.errors import ImageGalleryError

INTERRUPTED = 130  # 128 + SIGINT, what shells expect


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("imagegallery"), prog_name="imagegallery")
@click.option("-v", "--verbose", is_flag=True, help="Log what is done, not only what goes wrong.")
def cli(verbose: bool) -> None:
    """An image gallery backend: uploads, variants, galleries."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )


COMMANDS: tuple[click.Command, ...] = (
    serve_command,
    worker_command,
    relay_command,
    queue_command,
    migrate_command,
    import_command,
    upload_command,
    render_command,
    backfill_command,
    reconcile_command,
    storage_group,
    doctor_command,
    dev_stack_command,
)
for command in COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Run the command; every error we know is one line on stderr and exit code 1."""
    sys.exit(run(cli.main))


def run(command: Callable[..., object]) -> int:
    """The exit code of the command: click's own for wrong usage (2), ours for the rest."""
    try:
        result = command(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except (ImageGalleryError, ExceptionGroup) as error:
        return _explain(error)
    return result if isinstance(result, int) else 0


def _explain(error: ImageGalleryError | ExceptionGroup[Exception]) -> int:
    """Say what went wrong; an error that is not ours goes on as the bug that it is."""
    if isinstance(error, ExceptionGroup):
        known, unknown = error.split(ImageGalleryError)
        if known is None or unknown is not None:
            raise error
        return max(map(_explain, known.exceptions))
    click.echo(f"Error: {error.message}", err=True)
    return 1
