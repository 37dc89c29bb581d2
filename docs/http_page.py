"""Writes the table of operations in ``reference/http.md``: ``python docs/http_page.py [--check]``."""

from pathlib import Path

import made_page
from imagegallery_asgi.framework.context import API_PREFIX
from imagegallery_asgi.routes import OPERATIONAL, OPERATIONS

PAGE = Path(__file__).with_name("reference") / "http.md"
BEGIN = "<!-- operations: python docs/http_page.py -->\n"


def page() -> str:
    """The page with its table as it ought to be: all that follows the mark is made."""
    current = PAGE.read_text()
    return current[: current.index(BEGIN)] + BEGIN + table()


def table() -> str:
    rows = [(operation.method, API_PREFIX + operation.path, operation.summary) for operation in OPERATIONS]
    rows += [(operation.method, operation.path, operation.summary) for operation in OPERATIONAL]
    lines = [f"| {method} | `{path}` | {summary} |" for method, path, summary in dict.fromkeys(rows)]
    return "\n".join(["| method | path | does |", "|---|---|---|", *lines]) + "\n"


if __name__ == "__main__":
    made_page.main(PAGE, page())
