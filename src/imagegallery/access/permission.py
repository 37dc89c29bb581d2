"""What may be done with an image or a gallery. Pure."""

from collections.abc import Mapping
from enum import IntFlag
from typing import Final


class Permission(IntFlag):
    """``VIEW``: the image in every size shown; ``DOWNLOAD``: its original; ``EDIT``: any change except deleting it,
    which takes
    ``DELETE``.
    """

    NONE = 0
    VIEW = 1
    DOWNLOAD = 2
    COMMENT = 4
    ADD_IMAGES = 8
    EDIT = 16
    DELETE = 32


VIEWER: Final = Permission.VIEW | Permission.DOWNLOAD
CONTRIBUTOR: Final = VIEWER | Permission.COMMENT | Permission.ADD_IMAGES
EDITOR: Final = CONTRIBUTOR | Permission.EDIT
OWNER: Final = EDITOR | Permission.DELETE

ROLES: Final[Mapping[str, Permission]] = {
    "viewer": VIEWER,
    "contributor": CONTRIBUTOR,
    "editor": EDITOR,
    "owner": OWNER,
}
"""Combinations of permissions, by the names that people know."""
