"""Something that the application names, ``package.module:name``, found in its own code."""

from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from traceback import FrameSummary, extract_tb, format_exception_only, format_list
from types import ModuleType
from typing import Final

from imagegallery.errors import ConfigurationError

FRAMES: Final = 3
"""How much of the traceback of their code is shown: what comes last is where it failed."""


def import_named(name: str, option: str) -> object:
    """Import the module, and return what is called so in it. ``option`` is how the name was given.

    Raises:
        ConfigurationError: For a name of another form, a module that does not exist or fails while it is imported, with
            the last lines of its traceback, and a module that has no such name.
    """
    module, colon, attribute = name.partition(":")
    if not (colon and all(part.isidentifier() for part in (*module.split("."), *attribute.split(".")))):
        raise ConfigurationError(f"{option}: {name!r} must be of the form package.module:name.")
    found: object = _import(module, name, option)
    for part in attribute.split("."):
        if not hasattr(found, part):
            near = get_close_matches(part, dir(found), n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ConfigurationError(f"{option}: {name!r} cannot be found: {module} has no {attribute}.{hint}")
        found = getattr(found, part)
    return found


def _import(module: str, name: str, option: str) -> ModuleType:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module}.".startswith(f"{error.name}."):
            raise ConfigurationError(
                f"{option}: {name!r} cannot be imported: there is no module {error.name}, neither in {Path.cwd()} nor"
                " installed."
            ) from error
        raise ConfigurationError(_describe(error, name, option)) from error
    except (Exception, SystemExit) as error:
        raise ConfigurationError(_describe(error, name, option)) from error


def _describe(error: BaseException, name: str, option: str) -> str:
    lines = "".join([*format_list(_own(extract_tb(error.__traceback__))[-FRAMES:]), *format_exception_only(error)])
    return f"{option}: {name!r} cannot be imported:\n{lines.rstrip()}"


def _own(frames: list[FrameSummary]) -> list[FrameSummary]:
    """Without ours, and those of the import machinery."""
    return [each for each in frames[1:] if "importlib" not in each.filename]
