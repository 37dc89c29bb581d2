"""Results on stdout as they come: lines for people, or one JSON object a line for programs."""

import json
from collections.abc import Mapping

import click


def emit(line: str, document: Mapping[str, object], *, as_json: bool) -> None:
    """Print one result, in the form that was asked for."""
    click.echo(json.dumps(document) if as_json else line)
