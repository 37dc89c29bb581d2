"""``imagegallery upload``: upload files over HTTP to any service."""

import importlib
import importlib.util
from pathlib import Path

import anyio
import click

from imagegallery.common.extras import install_hint
from imagegallery.errors import ConfigurationError
from imagegallery.uploads.session.policy import OnDuplicate

TOKEN_VARIABLE = "IMAGEGALLERY_TOKEN"  # noqa: S105 - the name of a variable


@click.command("upload")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--url", required=True, help="Where the API is: https://photos.example.org/api/v1")
@click.option(
    "--token", envvar=TOKEN_VARIABLE, help=f"A bearer token, if the service wants one.  [env: {TOKEN_VARIABLE}]"
)
@click.option("--gallery", "gallery_name", help="The gallery's name; made if it does not exist.")
@click.option(
    "--state-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Remembers what is in and what was begun, for the next run.",
)
@click.option(
    "--parallel", default=4, show_default=True, type=click.IntRange(1, 32), help="Parts of a file sent at once."
)
@click.option(
    "--on-duplicate",
    type=click.Choice([each.value for each in OnDuplicate]),
    help="What becomes of files that are in already, unless the service decides.",
)
@click.option("--policy", help="The policy that the uploads are under, by the service's names.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line for each file.")
def upload_command(
    paths: tuple[Path, ...],
    url: str,
    token: str | None,
    gallery_name: str | None,
    state_file: Path | None,
    parallel: int,
    on_duplicate: str | None,
    policy: str | None,
    as_json: bool,
) -> int:
    """Upload files and folder trees to a running service.

    It may be interrupted and repeated. With a state file it skips finished files and resumes large ones.
    """
    if importlib.util.find_spec("httpx") is None:
        raise ConfigurationError(f"Uploading needs more than is installed: {install_hint('client')}")
    # Imported late, since only this command needs the extra.
    run = importlib.import_module("imagegallery.cli.upload_run")
    wanted = OnDuplicate(on_duplicate) if on_duplicate else None
    target = run.UploadDestination(url, token, gallery_name, state_file, parallel, wanted, policy)
    failures: int = anyio.run(run.upload_all, target, paths, as_json)
    return 1 if failures else 0
