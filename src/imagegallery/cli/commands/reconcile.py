"""``imagegallery reconcile``: find, and on request repair, inconsistencies."""

from collections import Counter
from datetime import timedelta

import anyio
import click
from attrs import define, field

from imagegallery.application import Application
from imagegallery.cli.options import Chosen, gallery_options
from imagegallery.cli.output import emit
from imagegallery.cli.progress import progress_bar
from imagegallery.reconciliation.finding import Finding, Phase, RepairOutcome
from imagegallery.upkeep.service import GRACE

_DEFAULT_HOURS = int(GRACE / timedelta(hours=1))


@click.command("reconcile")
@click.option("--repair", is_flag=True, help="Repair what can be repaired; without it nothing is changed.")
@click.option(
    "--grace",
    metavar="HOURS",
    type=click.IntRange(min=1),
    default=_DEFAULT_HOURS,
    show_default=True,
    help="Leave objects alone that are younger: their rows may be still to come.",
)
@click.option("--store-is-ours", is_flag=True, help="Repair even if the database has no images and the store has.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line, the summary last.")
@gallery_options
def reconcile_command(repair: bool, grace: int, store_is_ours: bool, as_json: bool, chosen: Chosen) -> int:
    """Compare database and store.

    Finds objects without rows, rows without objects, wrong image counts and wrong storage sums. Prints each with its
    repair. The exit code is 1 while anything is wrong.
    """
    run = _Run(repair=repair, store_is_ours=store_is_ours, as_json=as_json)
    try:
        anyio.run(run.go, chosen.find(), timedelta(hours=grace))
    finally:
        if run.examined:
            run.sum_up()
    return 1 if run.remaining else 0


@define
class _Run:
    repair: bool
    store_is_ours: bool
    as_json: bool
    finished: bool = False
    remaining: int = 0
    examined: Counter[str] = field(factory=Counter)
    outcomes: Counter[RepairOutcome] = field(factory=Counter)

    async def go(self, application: Application, grace: timedelta) -> None:
        async with application.open() as gallery:
            if self.repair and not self.store_is_ours:
                await gallery.upkeep.check_same_gallery()
            for phase in gallery.upkeep.reconciliation(grace=grace):
                await self._make(phase)
        self.finished = True

    async def _make(self, phase: Phase) -> None:
        self.examined[phase.name] = 0
        with progress_bar(phase.name, total=await phase.total(), with_output=True) as advance:
            async for step in phase.run(repair=self.repair):
                self.examined[phase.name] += step.examined
                for finding in step.findings:
                    self._note(finding)
                advance(step.examined)

    def _note(self, finding: Finding) -> None:
        self.outcomes[finding.outcome] += 1
        self.remaining += finding.remains
        emit(str(finding), finding.to_json(), as_json=self.as_json)

    def sum_up(self) -> None:
        """Print the summary, also after an interruption."""
        seen = ", ".join(f"{count:,} {name}" for name, count in self.examined.items())
        wrong = ", ".join(f"{count:,} {outcome.replace('_', ' ')}" for outcome, count in self.outcomes.items())
        document = {
            "examined": dict(self.examined),
            "outcomes": {outcome.value: self.outcomes[outcome] for outcome in RepairOutcome},
            "finished": self.finished,
        }
        emit(f"examined {seen or 'nothing'}: {wrong or 'nothing wrong'}", document, as_json=self.as_json)
