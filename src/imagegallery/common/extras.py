"""How to install a missing extra, by commands that work."""

import shlex
from importlib.metadata import PackageNotFoundError, requires


def install_hint(extra: str) -> str:
    """Return the command that installs what ``extra`` adds, wherever this package came from."""
    marker = f"extra == '{extra}'"
    wanted = [each.partition(";")[0].strip() for each in _requirements() if marker in each.replace('"', "'")]
    return f"pip install {shlex.join(wanted)}"


def _requirements() -> list[str]:
    try:
        return requires("imagegallery") or []
    except PackageNotFoundError:  # run from a folder, without having been installed
        return []
