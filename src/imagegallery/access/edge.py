"""The rules of galleries in the words of caches in front, which refuse pages by themselves: a table for CloudFront's
functions, and maps for nginx. Pure.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from attrs import frozen

from imagegallery.errors import ConfigurationError

# "File format for key-value pairs" of CloudFront.
MAX_TABLE_BYTES: Final = 5_000_000
OWN: Final = "own"
"""The key of the service's own origins, which may show the files of all galleries."""
OTHERS: Final = "others"
"""The key that is there if galleries without a rule are for own pages alone."""
_ONE_NAME_OR_MORE: Final = "[a-z0-9_.-]+"


@frozen
class RuledGallery:
    """A gallery that everybody may see, and the origins of the pages that may show its files."""

    id: UUID
    allowed_origins: tuple[str, ...]


def to_cloudfront(galleries: Sequence[RuledGallery], own: Iterable[str], *, hotlinks: bool = True) -> str:
    """The table for a key value store: a gallery's id, and its origins with blanks between them. ``hotlinks``: whether
    all pages may show the files of galleries without a rule.

    Raises:
        ConfigurationError: If it is larger than a store may be.
    """
    others = {} if hotlinks else {OTHERS: ""}
    entries = {OWN: " ".join(own), **others, **{str(each.id): " ".join(each.allowed_origins) for each in galleries}}
    table = json.dumps({"data": [{"key": key, "value": value} for key, value in entries.items()]}, indent=1)
    if len(table) > MAX_TABLE_BYTES:
        raise ConfigurationError(f"{len(galleries):,} galleries have rules: more than a key value store holds (5 MB).")
    return table


def to_nginx(galleries: Sequence[RuledGallery], own: Iterable[str], *, hotlinks: bool = True) -> str:
    """Two maps: which galleries have rules, and which pages may show their files. ``hotlinks`` as in
    `to_cloudfront`."""
    ruled = [f"    {each.id} 1;" for each in galleries]
    named = [f'    "~*^[^ ]+ {_pattern(origin)}$" 1;' for origin in own]
    named += [f'    "~*^{each.id} {_pattern(origin)}$" 1;' for each in galleries for origin in each.allowed_origins]
    return "\n".join(
        [
            "map $imagegallery_gallery $imagegallery_ruled {",
            "    default 0;" if hotlinks else '    default 1;\n    "" 0;',
            *ruled,
            "}",
            'map "$imagegallery_gallery $imagegallery_page" $imagegallery_listed {',
            "    default 0;",
            *named,
            "}",
        ]
    )


def _pattern(origin: str) -> str:
    """A regular expression of the origin; a wildcard is one name or more."""
    scheme, _, host = origin.partition("://")
    below = _ONE_NAME_OR_MORE + r"\." if host.startswith("*.") else ""
    return f"{scheme}://{below}{re.escape(host.removeprefix('*.'))}"
