"""Progress bars on stderr, so that stdout stays for results."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class AdvanceSteps(Protocol):
    def __call__(self, steps: int = 1, /) -> None:
        """Advance by that many steps."""


@contextmanager
def progress_bar(label: str, *, total: int | None, with_output: bool = False) -> Iterator[AdvanceSteps]:
    """Show a bar of ``total`` steps (``None``: unknown). Call what it yields after each.

    Draws nothing if stderr is no terminal, or, ``with_output``, if results are printed to one meanwhile.
    """
    # Imported late: every command imports this module, and these take longer than some commands.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    hidden = not console.is_terminal or (with_output and sys.stdout.isatty())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=hidden, redirect_stdout=False) as progress:
        task = progress.add_task(label, total=total)

        def advance(steps: int = 1, /) -> None:
            progress.advance(task, steps)

        yield advance
