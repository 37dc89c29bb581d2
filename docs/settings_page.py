"""Writes ``reference/settings.md`` from the settings classes: ``python docs/settings_page.py [--check]``."""

import inspect
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import attrs

import made_page
from imagegallery import Policy, Settings
from imagegallery.settings import ENV_PREFIX

PAGE = Path(__file__).with_name("reference") / "settings.md"
HEAD = """# Settings

Settings come, later ones winning, from the defaults, a TOML file (`--config`, or `IMAGEGALLERY_CONFIG`) and the
environment. In TOML they stand in the table `[imagegallery]` and one table for each package:

```toml
[imagegallery.uploads]
max_size = 20_000_000
session_lifetime = "0:30:00"
```

Durations are `hours:minutes:seconds`, sizes are bytes, lists in the environment are separated by commas. An option that
does not exist is an error. This page is made from the classes by `python docs/settings_page.py`.
"""

# Defaults that depend on the machine the page is made on.
MEASURED = {"imaging.threads": "the number of processors, at most 4"}


def page() -> str:
    """The page as it ought to be."""
    return "\n".join([HEAD, *_sections("", Settings()), *_sections("policies.NAME", Policy())])


def _sections(name: str, part: object) -> Iterator[str]:
    """One for the part's own options, and those of the parts within it."""
    prefix = f"{name}." if name else ""
    members = [(prefix + option, value) for option, value in _members(part)]
    yield _section(name or "General", part, [member for member in members if not _has_sections(member[1])])
    for inner, value in members:
        if attrs.has(type(value)):
            yield from _sections(inner, value)


def _has_sections(value: object) -> bool:
    """Policies have one for any name."""
    return attrs.has(type(value)) or isinstance(value, Mapping)


def _members(part: object) -> list[tuple[str, object]]:
    return [(field.name, getattr(part, field.name)) for field in attrs.fields(type(part))]  # type: ignore[arg-type]


def _section(title: str, part: object, options: list[tuple[str, object]]) -> str:
    about = inspect.cleandoc(type(part).__doc__ or "").replace("``", "`")
    if not options:
        return f"## {title}\n\n{about}\n"
    rows = "\n".join(_row(option, value) for option, value in options)
    return f"## {title}\n\n{about}\n\n| option | variable | default |\n|---|---|---|\n{rows}\n"


def _row(option: str, default: object) -> str:
    variable = ENV_PREFIX + option.replace(".", "_").upper()
    return f"| `{option}` | `{variable}` | {MEASURED.get(option) or _shown(default)} |"


def _shown(default: object) -> str:
    if isinstance(default, tuple) and default and attrs.has(type(default[0])):
        return "[the table of presets](../explanation/variants.md)"
    if isinstance(default, tuple):
        return f"`{','.join(map(str, default))}`" if default else ""
    if isinstance(default, timedelta):
        return f"`{_duration(default)}`"
    return "" if default in (None, "") else f"`{default}`"


def _duration(value: timedelta) -> str:
    """The way settings are read: hours, however many, not days."""
    hours, rest = divmod(value, timedelta(hours=1))
    return f"{hours}:{str(rest).removeprefix('0:')}"


if __name__ == "__main__":
    made_page.main(PAGE, page())
