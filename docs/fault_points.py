"""Lists the fault points on the page that explains them: ``python docs/fault_points.py [--check]``."""

import re
import sys
from pathlib import Path

from imagegallery.testing.faulty import all_fault_points

PAGE = Path(__file__).parent / "explanation" / "faults.md"
TABLE = re.compile(r"(?<=\|---\|---\|\n).*?(?=\n<!-- end of fault points -->)", re.DOTALL)


def main() -> int:
    """Bring the page up to date; with ``--check`` only say, by the exit code, whether it is."""
    page = PAGE.read_text()
    rows = "\n".join(f"| `{name}` | {point.state} |" for name, point in sorted(all_fault_points().items()))
    written = TABLE.sub(lambda _: rows, page)
    if "--check" not in sys.argv:
        PAGE.write_text(written)
        return 0
    if written != page:
        sys.stderr.write(f"{PAGE.name} is out of date: run python docs/fault_points.py\n")
    return int(written != page)


if __name__ == "__main__":
    sys.exit(main())
