"""``imagegallery import``: import folders of photographs. It may be interrupted and repeated."""

from pathlib import Path

import anyio
import click

from imagegallery.application import Application
from imagegallery.cli.import_run import ImportOutcome, ImportResult, ImportRun, find_files
from imagegallery.cli.options import Chosen, gallery_options
from imagegallery.cli.output import emit, say, say_where
from imagegallery.cli.progress import progress_bar
from imagegallery.principal import Principal


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--gallery", "gallery_name", required=True, help="The gallery's name; made if it does not exist.")
@click.option("--owner", default="owner", show_default=True, help="The user id that owns what comes in.")
@click.option("--policy", help="The policy that the images come in under; a gallery that is made gets it.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@gallery_options
def import_command(
    paths: tuple[Path, ...],
    gallery_name: str,
    owner: str,
    policy: str | None,
    as_json: bool,
    chosen: Chosen,
) -> int:
    """Import files and folder trees into a gallery.

    Skips what the gallery already has, by content. The worker makes the variants: `imagegallery serve` or `imagegallery
    worker`.
    """
    application = chosen.load()
    say_where(application.settings.data_dir)
    arrivals = anyio.run(_import, application, paths, gallery_name, Principal.user(owner), policy)
    counts = {outcome: sum(arrival.outcome is outcome for arrival in arrivals) for outcome in ImportOutcome}
    _report(counts, [arrival for arrival in arrivals if arrival.error is not None], as_json=as_json)
    if counts[ImportOutcome.IMPORTED]:
        say("Variants are made by a worker: `imagegallery serve` or `imagegallery worker`.", err=True)
    return 1 if counts[ImportOutcome.FAILED] else 0


async def _import(
    application: Application, paths: tuple[Path, ...], gallery_name: str, owner: Principal, policy: str | None
) -> list[ImportResult]:
    files, unreadable = await anyio.to_thread.run_sync(find_files, paths)
    arrivals = [ImportResult(path, ImportOutcome.FAILED, error) for path, error in unreadable.items()]
    async with application.open() as gallery:
        run = await ImportRun.into(gallery, owner, gallery_name, policy)
        with progress_bar("importing", total=len(files)) as advance:

            def report(arrival: ImportResult) -> None:
                arrivals.append(arrival)
                advance()

            await run.import_files(files, report)
        return arrivals


def _report(counts: dict[ImportOutcome, int], left_out: list[ImportResult], *, as_json: bool) -> None:
    """Print the counts, and what was left out, with the reasons."""
    documents = {
        outcome: [{"path": str(each.path), "error": each.error} for each in left_out if each.outcome is outcome]
        for outcome in (ImportOutcome.FAILED, ImportOutcome.NOT_AN_IMAGE)
    }
    document = {
        **{outcome.value: count for outcome, count in counts.items()},
        "failures": documents[ImportOutcome.FAILED],
        "not_images": documents[ImportOutcome.NOT_AN_IMAGE],
    }
    emit(", ".join(f"{count} {outcome.value}" for outcome, count in counts.items()), document, as_json=as_json)
    for each in [] if as_json else left_out:
        say(f"{each.path}: {each.error}", err=True)
