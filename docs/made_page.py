"""What the scripts that make a page from the code, or a part of it, have in common: ``--check``."""

import sys
from pathlib import Path


def main(page: Path, made: str) -> None:
    """Bring the page up to date; with ``--check`` only say, by the exit code, whether it is."""
    if sys.argv[1:] != ["--check"]:
        page.write_text(made)
    elif page.read_text() != made:
        sys.exit(f"{page} is stale: run python docs/{Path(sys.argv[0]).name}")
