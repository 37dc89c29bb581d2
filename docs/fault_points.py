"""Lists the fault points on the page that explains them: ``python docs/fault_points.py [--check]``."""

import re
from pathlib import Path

import made_page
from imagegallery.testing.faulty import all_fault_points

PAGE = Path(__file__).parent / "explanation" / "faults.md"
TABLE = re.compile(r"(?<=\|---\|---\|\n).*?(?=\n<!-- end of fault points -->)", re.DOTALL)


def page() -> str:
    """The page as it ought to be."""
    rows = "\n".join(f"| `{name}` | {point.state} |" for name, point in sorted(all_fault_points().items()))
    return TABLE.sub(lambda _: rows, PAGE.read_text())


if __name__ == "__main__":
    made_page.main(PAGE, page())
