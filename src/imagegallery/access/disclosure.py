"""What somebody who may see an image or a gallery is shown of it, and of the application's ``meta``. Pure.

What somebody may not see they may not filter, sort, count or search by, either: the answers would tell it.
"""

import re
from collections.abc import Iterable
from typing import Final

from attrs import Attribute, field, frozen

from imagegallery.access.audience import Audience
from imagegallery.access.decision import Facts, audience, is_public
from imagegallery.access.grant import DownloadAllowed, MetadataShown
from imagegallery.access.permission import Permission
from imagegallery.common.meta import Meta
from imagegallery.errors import ConfigurationError
from imagegallery.http_options import stripped_names
from imagegallery.principal import Principal


@frozen
class Disclosure:
    """What is shown of a thing to who sees it as ``audience``. ``metadata`` and ``download`` are the greatest of what
    everybody sees, and of each grant by which they see it. All with the same are shown the same.
    """

    audience: Audience | None
    metadata: MetadataShown
    download: DownloadAllowed

    @property
    def is_owners(self) -> bool:
        """Whether nothing is hidden, not even what only the owner keeps there."""
        return self.audience is Audience.OWNER

    @property
    def has_place(self) -> bool:
        """Whether it tells where the picture was made."""
        return self.metadata is MetadataShown.ALL

    @property
    def has_file(self) -> bool:
        """Whether it tells what the file said: its name, when and with what the picture was made. Otherwise everything
        but the picture and its description is hidden."""
        return self.metadata > MetadataShown.NONE

    @property
    def has_counts(self) -> bool:
        """Whether it tells how many there are of anything."""
        return self.metadata > MetadataShown.NONE


NOTHING: Final = Disclosure(None, MetadataShown.NONE, DownloadAllowed.NONE)
OWNERS: Final = Disclosure(Audience.OWNER, MetadataShown.ALL, DownloadAllowed.ORIGINAL)
EVERYBODYS: Final = Disclosure(Audience.PUBLIC, MetadataShown.BASIC, DownloadAllowed.NONE)


def disclosure(principal: Principal, facts: Facts) -> Disclosure:
    """What the principal is shown of a thing with these facts. The one that adds it sees it as everybody sees a public
    one, as long as it waits, but downloads nothing."""
    seen_as = audience(principal, facts)
    if seen_as is None:
        return NOTHING
    if seen_as is not Audience.SHARED:
        return OWNERS if seen_as is Audience.OWNER else EVERYBODYS
    grants = [each for each in facts.grants if Permission.VIEW in each.permissions]
    own = MetadataShown.NONE if facts.contributor is None else EVERYBODYS.metadata
    levels = [(own, DownloadAllowed.NONE), *((each.metadata, each.allowed_download) for each in grants)]
    if is_public(facts):
        levels.append((EVERYBODYS.metadata, EVERYBODYS.download))
    metadata, download = zip(*levels, strict=True)
    return Disclosure(Audience.SHARED, max(metadata), max(download))


_KEY = re.compile(r"[A-Za-z0-9_-]{1,40}")


def _check_keys(_: object, attribute: "Attribute[tuple[str, ...]]", keys: tuple[str, ...]) -> None:
    for key in keys:
        if not _KEY.fullmatch(key):
            raise ConfigurationError(f"meta.{attribute.name}: {key!r} is not 1 to 40 letters, digits, - and _.")


@frozen
class MetaOptions:
    """What becomes of some keys of the ``meta`` of images and galleries.

    ``public`` ones are seen by all who may see the image or gallery, unless a share shows no metadata; all others only
    by its owner. ``indexed`` ones
    have an index, which `imagegallery migrate` makes: a list that asks for one value of them reads nothing else.
    """

    public: tuple[str, ...] = field(default=(), converter=stripped_names, validator=_check_keys)
    indexed: tuple[str, ...] = field(default=(), converter=stripped_names, validator=_check_keys)

    def shown(self, meta: Meta, shown: Disclosure) -> Meta:
        """What is shown of ``meta``."""
        return {key: value for key, value in meta.items() if key not in self.hidden(meta, shown)} if meta else meta

    def hidden(self, keys: Iterable[str], shown: Disclosure) -> tuple[str, ...]:
        """Those of the ``keys`` that are not shown."""
        if shown.is_owners:
            return ()
        return tuple(key for key in keys if not (shown.has_file and key in self.public))
