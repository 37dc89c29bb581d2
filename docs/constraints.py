"""Writes ``how-to/deploy/constraints.txt``, every package of the image with its hash: ``python docs/constraints.py``.

The extras and the Python are those of the Dockerfile. Needs uv; where packages come from is its user's business, so no
address is written down.
"""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
DEPLOY = Path(__file__).with_name("how-to") / "deploy"
CONSTRAINTS = DEPLOY / "constraints.txt"
HEAD = "# Made by python docs/constraints.py: what the image installs, and nothing else.\n"


def extras() -> list[str]:
    """What the image installs of us."""
    (named,) = re.findall(r"^# Extras: (.+)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    return str(named).split(", ")


def python() -> str:
    """The version in the image."""
    (version,) = re.findall(r"^FROM python:([\d.]+)", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    return str(version)


def compiled() -> str:
    """The file, without a word of where anything came from."""
    wanted = [option for extra in extras() for option in ("--extra", extra)]
    build_system = "hatchling>=1.27\n"
    silent = ("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links")
    where = ("--python-version", python(), "--python-platform", "linux")
    done = subprocess.run(
        ["uv", "pip", "compile", "--quiet", "--generate-hashes", *silent, *where, *wanted, "pyproject.toml", "-"],  # noqa: S607
        input=build_system,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = (line for line in done.stdout.splitlines() if not re.match(r"--|#", line))
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    CONSTRAINTS.write_text(compiled())
