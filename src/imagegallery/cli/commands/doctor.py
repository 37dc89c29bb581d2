"""``imagegallery doctor``: check whether everything is installed, reachable and set up."""

from collections import Counter
from contextlib import aclosing

import anyio
import click
from attrs import define, field

from imagegallery.cli.doctor_run import Examination
from imagegallery.cli.options import Chosen, gallery_options
from imagegallery.cli.output import emit
from imagegallery.cli.progress import progress_bar
from imagegallery.errors import ConfigurationError
from imagegallery.settings import Settings
from imagegallery.upkeep.check import Check, Level


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@gallery_options
def doctor_command(as_json: bool, chosen: Chosen) -> int:
    """Check this installation.

    One line a check: ok, warning or error, with what to do about it. The exit code is 1 if there is an error.
    """
    report = _Report(as_json)
    try:
        settings = chosen.settings
    except ConfigurationError as error:
        report.note(Check.error("settings", error.message, "correct them where they are written"))
    else:
        report.note(Check.ok("settings", "can be read"))
        anyio.run(report.examine, settings)
    return 1 if report.levels[Level.ERROR] else 0


@define
class _Report:
    as_json: bool
    levels: Counter[Level] = field(factory=Counter)

    async def examine(self, settings: Settings) -> None:
        async with aclosing(Examination(settings).run()) as checks:
            with progress_bar("checking", total=None, with_output=True) as advance:
                async for check in checks:
                    self.note(check)
                    advance()

    def note(self, check: Check) -> None:
        self.levels[check.level] += 1
        emit(str(check), check.to_json(), as_json=self.as_json)
