"""Draw the diagrams that the documentation shows from the tables in the code: ``python docs/diagrams.py [--check]``."""

import re
from pathlib import Path

import made_page
from imagegallery.uploads.session.session import mermaid

PAGE = Path(__file__).parent / "explanation" / "upload-sessions.md"
DIAGRAM = re.compile(r"(?<=```mermaid\n).*?(?=```\n<!-- end of diagram -->)", re.DOTALL)


def page() -> str:
    """The page as it ought to be."""
    return DIAGRAM.sub(lambda _: mermaid(), PAGE.read_text())


if __name__ == "__main__":
    made_page.main(PAGE, page())
