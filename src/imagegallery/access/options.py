"""Options of sharing: they are here, since URLs and cached pages go by them, too. Pure."""

from datetime import timedelta

from attrs import field, frozen
from attrs.validators import ge, gt


@frozen
class SharingOptions:
    """How many shares an owner may have, and how long what belongs to them lasts.

    A signed URL that somebody gets by a share is valid for at most ``url_ttl``, and for at least half of it: so long
    it goes on after the share has ended. ``visit``: for how long who has opened a link may look around before it counts
    as another view, or asks for its password again. ``accesses_kept``: for how long it is known how often a share was
    opened on a day.
    """

    url_ttl: timedelta = field(default=timedelta(minutes=5), validator=ge(timedelta(minutes=1)))
    visit: timedelta = field(default=timedelta(hours=12), validator=gt(timedelta(0)))
    accesses_kept: timedelta = field(default=timedelta(days=90), validator=gt(timedelta(0)))
    max_per_owner: int = field(default=10_000, validator=ge(0))

    @property
    def page_lasts(self) -> timedelta:
        """How long a page with such URLs is kept at most: those in it are good for as long again."""
        return self.url_ttl / 4
