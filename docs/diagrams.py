"""Draw the diagrams that the documentation shows from the tables in the code: ``python docs/diagrams.py [--check]``."""

import re
import sys
from pathlib import Path

from imagegallery.uploads.session import mermaid

PAGE = Path(__file__).parent / "explanation" / "upload-sessions.md"
DIAGRAM = re.compile(r"(?<=```mermaid\n).*?(?=```\n<!-- end of diagram -->)", re.DOTALL)


def main() -> int:
    """Bring the page up to date; with ``--check`` only say, by the exit code, whether it is."""
    page = PAGE.read_text()
    drawn = DIAGRAM.sub(lambda _: mermaid(), page)
    if "--check" not in sys.argv:
        PAGE.write_text(drawn)
        return 0
    if drawn != page:
        sys.stderr.write(f"{PAGE.name} is out of date: run python docs/diagrams.py\n")
    return int(drawn != page)


if __name__ == "__main__":
    sys.exit(main())
