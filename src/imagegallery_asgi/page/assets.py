"""The page's programs and styles: the files below ``app/``, read once, under one address that changes with them.

Modules name each other by relative paths, so that all have the digest in their address, and none is ever stale.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from attrs import frozen

from imagegallery_asgi.page.comments import without_comments

MAIN: Final = "main.js"
# What the first view needs; others come with theirs.
STYLES: Final = ("style/tokens.css", "style/base.css", "shell/shell.css")
_TYPES: Final = {
    "js": "text/javascript",
    "css": "text/css",
    "json": "application/json",
    "svg": "image/svg+xml",
    "png": "image/png",
    "webmanifest": "application/manifest+json",
}
_DIGEST_BYTES: Final = 9
# What programs say as texts of their own, so that it can be read in them.
_STYLE: Final = re.compile(r""""(\.{1,2}/[^"]{1,200}\.css)\"""")
_TEXTS: Final = re.compile(r"""\bmessages\("([a-z-]{1,50})"\)""")
_IMPORT: Final = re.compile(r"""^(?:import|export)\b[^;"']{0,2000}["'](\.{1,2}/[^"']{1,200})["'];?$""", re.MULTILINE)


@frozen
class Asset:
    """A file of the page. Of a module, ``imports`` are those that it loads at once and ``styles`` its style sheets, by
    their names; ``texts`` are the features whose messages it has."""

    content: bytes
    media_type: str
    imports: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


@frozen
class Assets:
    """All of them by their paths below ``app/``, and a digest of all."""

    by_name: Mapping[str, Asset]
    digest: str

    def modules(self, start: str = MAIN) -> tuple[str, ...]:
        """The names of a module and of all that it loads at once, in the order of their discovery."""
        found, waiting = dict[str, None](), [start]
        while waiting:
            name = waiting.pop(0)
            if name not in found and name in self.by_name:
                found[name] = None
                waiting.extend(self.by_name[name].imports)
        return tuple(found)


@cache
def page_assets() -> Assets:
    """What is installed."""
    return _assets_of(dict(sorted(_walk(files("imagegallery_asgi.page").joinpath("app"), ""))))


def _assets_of(contents: Mapping[str, bytes]) -> Assets:
    digest = blake2b(digest_size=_DIGEST_BYTES)
    by_name = {}
    for name, content in contents.items():
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
        by_name[name] = _asset_of(name, content)
    return Assets(by_name, digest.hexdigest())


def _asset_of(name: str, content: bytes) -> Asset:
    suffix = name.rpartition(".")[2]
    if suffix != "js":
        return Asset(content, _TYPES[suffix])
    program = content.decode()
    imports, styles = (tuple(_beside(name, path) for path in found.findall(program)) for found in (_IMPORT, _STYLE))
    return Asset(content, _TYPES[suffix], imports, styles, tuple(_TEXTS.findall(program)))


def _walk(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for each in folder.iterdir():
        if each.is_dir():
            yield from _walk(each, f"{path}{each.name}/")
        elif each.name.rpartition(".")[2] in _TYPES:
            yield path + each.name, without_comments(each.name, each.read_bytes())


def _beside(name: str, path: str) -> str:
    """The name of what lies at a path from the file of this ``name``."""
    folder = name.split("/")[:-1]
    for part in path.split("/"):
        if part == "..":
            folder.pop()
        elif part != ".":
            folder.append(part)
    return "/".join(folder)
