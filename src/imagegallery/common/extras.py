"""What is missing where an extra was not installed, in words that work: this package's extras are names of others'."""

import shlex
from importlib.metadata import PackageNotFoundError, requires


def install_hint(extra: str) -> str:
    """The command that installs what ``extra`` adds, from wherever this package itself came."""
    marker = f"extra == '{extra}'"
    wanted = [each.partition(";")[0].strip() for each in _requirements() if marker in each.replace('"', "'")]
    return f"pip install {shlex.join(wanted)}"


def _requirements() -> list[str]:
    try:
        return requires("imagegallery") or []
    except PackageNotFoundError:  # run from a folder, without having been installed
        return []
