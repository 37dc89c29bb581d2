"""The output of commands: lines for people, or one JSON object a line for programs.

File names and responses come from strangers, so nothing in them may control the terminal.
"""

import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import click

_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs"})  # control characters, direction controls and the like, lone surrogates
_KEPT = frozenset("\n\t\u200c\u200d")


def printable(text: object) -> str:
    """Replace what a terminal must not get, and bytes of file names that are not UTF-8."""
    decoded = str(text).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(
        each if each in _KEPT or unicodedata.category(each) not in _UNPRINTABLE else "\ufffd" for each in decoded
    )


def say(line: object, *, err: bool = False) -> None:
    """Print a line for people."""
    click.echo(printable(line), err=err)


def emit(line: str, document: Mapping[str, object], *, as_json: bool) -> None:
    """Print one result in the requested form. JSON is ASCII, with escapes."""
    click.echo(json.dumps(document)) if as_json else say(line)


def say_where(data_dir: Path) -> None:
    """Print the data directory, whose default depends on the working directory."""
    say(f"data lies in {data_dir}", err=True)
