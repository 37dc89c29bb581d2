"""What everybody may know of an application's ``meta``, who may see the image or gallery that has it. Pure.

What somebody may not see they may not filter by, either: the answers would tell it.
"""

import re
from collections.abc import Iterable

from attrs import Attribute, field, frozen

from imagegallery.access.audience import Audience
from imagegallery.common.meta import Meta
from imagegallery.errors import ConfigurationError
from imagegallery.http_options import stripped_names

_KEY = re.compile(r"[A-Za-z0-9_-]{1,40}")


def _check_keys(_: object, attribute: "Attribute[tuple[str, ...]]", keys: tuple[str, ...]) -> None:
    for key in keys:
        if not _KEY.fullmatch(key):
            raise ConfigurationError(f"meta.{attribute.name}: {key!r} is not 1 to 40 letters, digits, - and _.")


@frozen
class MetaOptions:
    """What becomes of some keys of the ``meta`` of images and galleries.

    ``public`` ones are seen by all who may see the image or gallery; all others only by its owner. ``indexed`` ones
    have an index, which `imagegallery migrate` makes: a list that asks for one value of them reads nothing else.
    """

    public: tuple[str, ...] = field(default=(), converter=stripped_names, validator=_check_keys)
    indexed: tuple[str, ...] = field(default=(), converter=stripped_names, validator=_check_keys)

    def shown(self, meta: Meta, seen_as: Audience | None) -> Meta:
        """What is shown of ``meta`` to those who see the thing as this."""
        if seen_as is Audience.OWNER or not meta:
            return meta
        return {key: meta[key] for key in self.public if key in meta}

    def hidden(self, keys: Iterable[str], seen_as: Audience | None) -> tuple[str, ...]:
        """Those of the ``keys`` that they are not shown."""
        return () if seen_as is Audience.OWNER else tuple(key for key in keys if key not in self.public)
