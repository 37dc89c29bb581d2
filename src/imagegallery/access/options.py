"""Options of sharing: they are here, since whoever makes URLs and keeps pages goes by them. Pure."""

from datetime import timedelta

from attrs import field, frozen
from attrs.validators import ge


@frozen
class SharingOptions:
    """A signed URL that somebody gets by a share is valid for at most ``url_ttl``, and for at least half of it: so long
    it goes on after the share has ended."""

    url_ttl: timedelta = field(default=timedelta(minutes=5), validator=ge(timedelta(minutes=1)))

    @property
    def page_lasts(self) -> timedelta:
        """How long a page with such URLs is kept at most: those in it are good for as long again."""
        return self.url_ttl / 4
