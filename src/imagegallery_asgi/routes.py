"""Every operation there is, one table a file of handlers: paths below the API's prefix, and those at the root; and the
choice of those that an application has.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from imagegallery import ConfigurationError
from imagegallery_asgi.api import (
    administration,
    audit,
    contributions,
    duplicates,
    embedding,
    events,
    files,
    galleries,
    images,
    jobs,
    links,
    me,
    operational,
    policies,
    privacy,
    shares,
    tags,
    uploads,
    webhooks,
)
from imagegallery_asgi.framework.operations import Operation
from imagegallery_asgi.page import handlers as page
from imagegallery_asgi.page import installation, pictures
from imagegallery_asgi.page import links as link_pages
from imagegallery_asgi.resumable import handlers as resumable
from imagegallery_asgi.uppy import handlers as uppy
from imagegallery_asgi.website import pages

OPERATIONS = (
    *galleries.OPERATIONS,
    *uploads.OPERATIONS,
    *policies.OPERATIONS,
    *contributions.OPERATIONS,
    *resumable.OPERATIONS,
    *uppy.OPERATIONS,
    *images.OPERATIONS,
    *duplicates.OPERATIONS,
    *tags.OPERATIONS,
    *shares.OPERATIONS,
    *links.OPERATIONS,
    *embedding.OPERATIONS,
    *events.OPERATIONS,
    *webhooks.OPERATIONS,
    *audit.OPERATIONS,
    *me.OPERATIONS,
    *privacy.OPERATIONS,
    *administration.OPERATIONS,
    *jobs.OPERATIONS,
    *files.OPERATIONS,
    *operational.OPERATIONS,
)
# How the service itself is has an address at the root, too: what a proxy keeps back has one.
OPERATIONAL = (*operational.OPERATIONS, *operational.METRICS)
WEBSITE = tuple(pages.OPERATIONS)
# What is at the root for people: the page, or where there is none a few words.
HOME = tuple(pages.HOME)
PAGE = (*page.OPERATIONS, *installation.OPERATIONS)
# What any page loads, also one without programs.
PAGE_FILES = tuple(page.FILES)
# Pages at the root, of an application that has these groups.
PAGES: Final[Mapping[str, tuple[Operation, ...]]] = {
    "embedding": tuple(pictures.OPERATIONS),
    "links": tuple(link_pages.OPERATIONS),
}

GROUPS: Final[Mapping[str, tuple[Operation, ...]]] = {
    tag: tuple(each for each in OPERATIONS if each.tag == tag) for tag in dict.fromkeys(each.tag for each in OPERATIONS)
}
"""The operations by the names of their groups, which are the tags of the description."""
READ: Final = ":read"
"""After the name of a group: its operations that change nothing."""
EVERYTHING: Final = frozenset(GROUPS)
EMBEDDED: Final = EVERYTHING - {"webhooks"}
"""What an application has that does not choose: users of a host have no webhooks unless it wants them to."""
_NOT_TO_READ: Final = {"uploads", "resumable", "uppy", "policies", "administration", "contributions"}
READ_ONLY: Final = frozenset(name + READ for name in EMBEDDED - _NOT_TO_READ)


def chosen(wanted: Iterable[str | Operation]) -> tuple[Operation, ...]:
    """The operations of these groups (`EMBEDDED` if none is named), and those that are given themselves.

    Raises `ConfigurationError` for a name that is no group's.
    """
    given = [*wanted]
    names = {each for each in given if isinstance(each, str)} or EMBEDDED
    if unknown := sorted(name for name in names if name.removesuffix(READ) not in GROUPS):
        nearest = get_close_matches(unknown[0].removesuffix(READ), GROUPS, n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else f"; there are {', '.join(sorted(GROUPS))}."
        raise ConfigurationError(f"operations: there is no group {unknown[0]!r}{hint}")
    of_groups = (each for each in OPERATIONS if each.tag in names or (each.is_safe and each.tag + READ in names))
    return (*of_groups, *(each for each in given if isinstance(each, Operation)))
