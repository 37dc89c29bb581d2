"""``imagegallery backfill``: add variants and analyses that images lack."""

from collections import Counter
from uuid import UUID

import anyio
import click
from attrs import define, field

from imagegallery.analyses.catalogue import ANALYSES
from imagegallery.application import Application
from imagegallery.cli.options import Chosen, gallery_options
from imagegallery.cli.output import emit
from imagegallery.cli.progress import progress_bar
from imagegallery.variants.backfill import Backfill, OutdatedImage, Progress, Scope
from imagegallery.variants.work import Recipes


@click.command("backfill")
@click.option("--dry-run", is_flag=True, help="Only say what would be made.")
@click.option("--only", metavar="NAME", multiple=True, help="Only this preset (medium, medium.webp) or analysis.")
@click.option("--missing", is_flag=True, help="Only what is missing; leave what another recipe, or version, made.")
@click.option("--starting-from", metavar="ID", type=click.UUID, help="Begin with this image's id.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line, the summary last.")
@gallery_options
def backfill_command(
    dry_run: bool,
    only: tuple[str, ...],
    missing: bool,
    starting_from: UUID | None,
    as_json: bool,
    chosen: Chosen,
) -> None:
    """Redo variants whose presets have changed, and analyses with a new version.

    Prints each image with its outdated variants and analyses, then the counts. The worker makes them, after everything
    else. It deletes an old object once its replacement is stored.
    """
    application = chosen.find()
    scope = Scope(only=frozenset(only), missing=missing, starting_from=starting_from)
    scope.check(Recipes(application.settings.variants.all_presets, ANALYSES))
    run = _Run(scope, dry_run=dry_run, as_json=as_json, next_id=starting_from)
    try:
        anyio.run(run.go, application)
    finally:
        run.sum_up()


@define
class _Run:
    scope: Scope
    dry_run: bool
    as_json: bool
    examined: int = 0
    images: int = 0
    finished: bool = False
    next_id: UUID | None = None
    counts: Counter[str] = field(factory=Counter)

    async def go(self, application: Application) -> None:
        async with application.open() as gallery:
            await self._walk(gallery.upkeep.backfill)
        self.finished = True

    async def _walk(self, backfill: Backfill) -> None:
        with progress_bar("looking", total=await backfill.count(self.scope), with_output=True) as advance:
            async for progress in backfill.run(self.scope, dry_run=self.dry_run):
                self._note(progress)
                advance(progress.examined)

    def _note(self, progress: Progress) -> None:
        for each in progress.touched:
            self.counts.update(each.names)
            emit(_line(each), _document(each), as_json=self.as_json)
        self.images += len(progress.touched)
        self.examined += progress.examined
        self.next_id = progress.next_id

    def sum_up(self) -> None:
        """Print the summary, also after an interruption."""
        verb = "would be made" if self.dry_run else "to be made"
        lines = [f"{name}: {count:,} {verb}" for name, count in sorted(self.counts.items())]
        lines.append(f"{self.images:,} of {self.examined:,} images")
        document = {
            "examined": self.examined,
            "images": self.images,
            "variants": dict(sorted(self.counts.items())),
            "dry_run": self.dry_run,
            "finished": self.finished,
            "starting_from": None if self.finished or self.next_id is None else str(self.next_id),
        }
        emit("\n".join(lines), document, as_json=self.as_json)
        if not self.finished and self.next_id is not None:
            click.echo(f"To go on: --starting-from {self.next_id}", err=True)


def _line(touched: OutdatedImage) -> str:
    parts = [f"{name} (missing)" for name in touched.missing] + [f"{name} (outdated)" for name in touched.outdated]
    return f"{touched.image_id}  {', '.join(parts)}"


def _document(touched: OutdatedImage) -> dict[str, object]:
    return {"image_id": str(touched.image_id), "missing": touched.missing, "outdated": touched.outdated}
