"""The ``imagegallery`` command, and what all commands share."""

import sys
from collections.abc import Callable
from importlib import import_module

import click
from attrs import frozen

from imagegallery.cli.output import say
from imagegallery.common.logs import configure_logging, log_verbosely
from imagegallery.errors import ImageGalleryError

INTERRUPTED = 130  # 128 + SIGINT, as shells expect


@frozen
class LazyCommand:
    """A command's module and its line in the list of commands. Imported when it is run."""

    module: str
    attribute: str
    help: str

    def load(self) -> click.Command:
        command = getattr(import_module(f"imagegallery.cli.commands.{self.module}"), self.attribute)
        assert isinstance(command, click.Command)
        return command


COMMANDS = {
    "serve": LazyCommand("serve", "serve_command", "Run the whole service."),
    "worker": LazyCommand("worker", "worker_command", "Make variants and do the other queued jobs."),
    "relay": LazyCommand("relay", "relay_command", "Pass events and jobs on to the workers."),
    "queue": LazyCommand("queue", "queue_command", "Message queues (SQS), and jobs that failed for good."),
    "migrate": LazyCommand("migrate", "migrate_command", "Apply the migrations that the database does not have yet."),
    "import": LazyCommand("import_files", "import_command", "Import files and folder trees into a gallery."),
    "upload": LazyCommand("upload", "upload_command", "Upload files and folder trees to a running service."),
    "render": LazyCommand("render", "render_command", "Write the variants of each photograph to a folder."),
    "backfill": LazyCommand("backfill", "backfill_command", "Make variants anew where the presets have changed."),
    "reconcile": LazyCommand("reconcile", "reconcile_command", "Compare database and store."),
    "storage": LazyCommand("storage", "storage_group", "See to the object store."),
    "audit": LazyCommand("audit", "audit_command", "Who did what that matters for security."),
    "owners": LazyCommand("owners", "owners_group", "Who stores how much, and how much they may."),
    "policy": LazyCommand("policy", "policy_group", "What administrators govern at run time."),
    "hotlinks": LazyCommand("hotlinks", "hotlinks_command", "Which pages may show pictures, for a cache in front."),
    "shares": LazyCommand("shares", "shares_group", "What owners share, and how to end it."),
    "doctor": LazyCommand("doctor", "doctor_command", "Check this installation."),
    "dev-stack": LazyCommand(
        "dev_stack", "dev_stack_command", "Run PostgreSQL, an object store, Redis and all on this machine."
    ),
}


class Commands(click.Group):
    """Imports only the command that is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        listed = COMMANDS.get(cmd_name)
        return None if listed is None else listed.load()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, listed.help) for name, listed in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="imagegallery", prog_name="imagegallery")
@click.option("-v", "--verbose", is_flag=True, help="Log what is done, not only what goes wrong.")
def cli(verbose: bool) -> None:
    """An image gallery backend: uploads, variants, galleries."""
    if verbose:
        log_verbosely()
    configure_logging()


def main() -> None:
    """Run the command. Each of our errors is one line on stderr and exit code 1."""
    sys.exit(run(cli.main))


def run(command: Callable[..., object]) -> int:
    """Return the exit code of the command: click's own for wrong usage (2), ours for the rest."""
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
    """Print an error of ours. Raises any other one."""
    if isinstance(error, ExceptionGroup):
        known, unknown = error.split(ImageGalleryError)
        if known is None or unknown is not None:
            raise error
        return max(map(_explain, known.exceptions))
    say(f"Error: {error.full_message}", err=True)
    return 1
