"""What commands print: lines for people, or one JSON object a line for programs.

File names and what services answer are written by strangers: nothing of them is obeyed by a terminal.
"""

import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import click

_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs"})  # control characters, direction controls and the like, lone surrogates
_KEPT = frozenset("\n\t\u200c\u200d")


def printable(text: object) -> str:
    """The text with a mark in place of what no terminal should get, and of bytes of file names that are no UTF-8."""
    decoded = str(text).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(
        each if each in _KEPT or unicodedata.category(each) not in _UNPRINTABLE else "\ufffd" for each in decoded
    )


def say(line: object, *, err: bool = False) -> None:
    """Print a line for people."""
    click.echo(printable(line), err=err)


def emit(line: str, document: Mapping[str, object], *, as_json: bool) -> None:
    """Print one result, in the form that was asked for. JSON in ASCII: escapes are for programs to read."""
    click.echo(json.dumps(document)) if as_json else say(line)


def say_where(data_dir: Path) -> None:
    """Where a command finds its data: the default depends on the folder that it is called in."""
    say(f"data lies in {data_dir}", err=True)
