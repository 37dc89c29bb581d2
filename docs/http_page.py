"""Writes the tables of operations and events in ``reference/http.md``: ``python docs/http_page.py [--check]``."""

from pathlib import Path

import attrs

import made_page
from imagegallery.gallery import EVENT_TYPES
from imagegallery_asgi.framework.context import API_PREFIX
from imagegallery_asgi.routes import OPERATIONAL, OPERATIONS

PAGE = Path(__file__).with_name("reference") / "http.md"
EVENTS = """
## Events

What `GET /events` streams and webhooks get, each for the one or those who may know; [Events](../explanation/events.md)
tells when each is told.

"""
BEGIN = "<!-- operations: python docs/http_page.py -->\n"


def page() -> str:
    """The page with its tables as they ought to be: all that follows the mark is made."""
    current = PAGE.read_text()
    return current[: current.index(BEGIN)] + BEGIN + table() + EVENTS + events()


def table() -> str:
    rows = [
        (operation.method, API_PREFIX + operation.path.replace(":path}", "}"), operation.summary)
        for operation in OPERATIONS
    ]
    rows += [(operation.method, operation.path, operation.summary) for operation in OPERATIONAL]
    lines = [f"| {method} | `{path}` | {summary} |" for method, path, summary in dict.fromkeys(rows)]
    return "\n".join(["| method | path | does |", "|---|---|---|", *lines]) + "\n"


def events() -> str:
    """What is told at ``/events`` and to webhooks."""
    rows = [
        f"| `{kind.type}` | {kind.audience} | {', '.join(f'`{field.name}`' for field in attrs.fields(kind))} |"
        for kind in sorted(EVENT_TYPES.values(), key=lambda kind: kind.type)
    ]
    return "\n".join(["| type | for | `data` |", "|---|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    made_page.main(PAGE, page())
