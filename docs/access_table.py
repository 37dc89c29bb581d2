"""Write who may do what, from the decision itself: ``python docs/access_table.py [--check]``."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from uuid import UUID

import made_page
from imagegallery.access.audience import Visibility
from imagegallery.access.decision import Facts, permissions
from imagegallery.access.grant import DownloadAllowed, Grant
from imagegallery.access.permission import VIEWER, Permission
from imagegallery.principal import Principal

PAGE = Path(__file__).parent / "explanation" / "access.md"
TABLE = re.compile(r"(?<=<!-- python docs/access_table.py -->\n).*?(?=<!-- end of table -->)", re.DOTALL)

_SHARE: Final = UUID(int=1)
_ORIGINAL: Final = DownloadAllowed.ORIGINAL
OWNER, USER, NOBODY = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()
THINGS: Final[Mapping[str, Facts]] = {
    "private": Facts("ana"),
    "unlisted or public": Facts("ana", Visibility.PUBLIC),
    "in the trash": Facts("ana", Visibility.PUBLIC, is_trashed=True),
}
WHO: Final[Mapping[str, tuple[Principal, tuple[Grant, ...]]]] = {
    "its owner": (OWNER, ()),
    "a visitor, and a user to whom nobody shares it": (NOBODY, ()),
    "by a share: `view`": (USER, (Grant(_SHARE, Permission.VIEW),)),
    "by a share: `view`, `download`": (USER, (Grant(_SHARE, VIEWER, download=_ORIGINAL),)),
    "by a share: `view`, `add_images`": (USER, (Grant(_SHARE, Permission.VIEW | Permission.ADD_IMAGES),)),
    "by a share: `view`, `edit`": (USER, (Grant(_SHARE, Permission.VIEW | Permission.EDIT),)),
    "by two shares: `view`, `download` and `view`, `edit`": (
        USER,
        (Grant(_SHARE, VIEWER, download=_ORIGINAL), Grant(_SHARE, Permission.VIEW | Permission.EDIT)),
    ),
}


def rows() -> Iterator[str]:
    """What each may do with each, and what they are told where they may do nothing."""
    for name, (principal, grants) in WHO.items():
        cells = [permissions(principal, Facts(f.owner_id, f.visibility, f.is_trashed, grants)) for f in THINGS.values()]
        yield "| " + " | ".join((name, *map(_cell, cells))) + " |"


def _cell(granted: Permission) -> str:
    named = [str(each.name).lower() for each in Permission if each in granted and each]
    return ", ".join(f"`{each}`" for each in named) or "not there"


def page() -> str:
    """The page as it ought to be."""
    head = "| | " + " | ".join(THINGS) + " |\n|---|" + "---|" * len(THINGS)
    table = "\n".join([head, *rows(), ""])
    return TABLE.sub(lambda _: table, PAGE.read_text())


if __name__ == "__main__":
    made_page.main(PAGE, page())
