"""Lists the fault points on the page that explains them: ``python docs/fault_points.py [--check]``."""

import importlib
import re
from collections.abc import Mapping
from pathlib import Path

import imagegallery
import made_page
from imagegallery.common.fault_points import FAULT_POINTS, FaultPoint

PAGE = Path(__file__).parent / "explanation" / "faults.md"
TABLE = re.compile(r"(?<=\|---\|---\|\n).*?(?=\n<!-- end of fault points -->)", re.DOTALL)
_NAMES_ONE = re.compile(r"^\w+ = fault_point\(", re.MULTILINE)


def all_fault_points() -> Mapping[str, FaultPoint]:
    """Import each module that names a fault point, and return them all."""
    package = Path(imagegallery.__file__).parent
    for path in sorted(package.rglob("*.py")):
        if _NAMES_ONE.search(path.read_text()):
            importlib.import_module(".".join(("imagegallery", *path.relative_to(package).with_suffix("").parts)))
    return FAULT_POINTS


def page() -> str:
    """The page as it ought to be."""
    rows = "\n".join(f"| `{name}` | {point.state} |" for name, point in sorted(all_fault_points().items()))
    return TABLE.sub(lambda _: rows, PAGE.read_text())


if __name__ == "__main__":
    made_page.main(PAGE, page())
