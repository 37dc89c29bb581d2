"""The policy of administrators as it is now, kept in this process: it costs no statement while nobody changes it.

What this process changes, it knows before its next answer. Of what others change it hears with all that the database
announces (`imagegallery.cache.generations`), in milliseconds. While nothing is heard, it is read again as soon as it is
`imagegallery.cache.policy.UNHEARD_LIMIT` old.
"""

from datetime import datetime, timedelta

import anyio

from imagegallery.cache.generations import GalleryChanges
from imagegallery.cache.policy import UNHEARD_LIMIT
from imagegallery.cache.stale_while_revalidate import EVERYTHING
from imagegallery.clock import Clock
from imagegallery.database.pool import Database
from imagegallery.errors import Unavailable
from imagegallery.policies import records
from imagegallery.policies.admin_policy import AdminPolicy
from imagegallery.rates.options import RateOptions


class PolicyInForce:
    """``settings`` is what holds where administrators say nothing; ``latest`` is what was read last, which `get` reads
    again if it has changed."""

    def __init__(self, database: Database, changes: GalleryChanges, settings: AdminPolicy, clock: Clock) -> None:
        self.settings = settings
        self.latest = settings
        self._database = database
        self._changes = changes
        self._clock = clock
        self._news = 0
        self._known: tuple[int, datetime] | None = None  # how much news there was before it was read, and when
        self._reading = anyio.Lock()
        changes.follow(self)

    async def get(self) -> AdminPolicy:
        """Return the policy that holds now.

        Raises:
            Unavailable: If it has to be read, and the database does not respond.
        """
        if not self._is_known:
            async with self._reading:
                if not self._is_known:
                    await self._read()
        return self.latest

    async def rates(self) -> RateOptions:
        """The rates that hold now. Who may ask how often does not depend on whether the database responds: then the
        last known ones hold."""
        if self._is_known:  # without a detour: every request asks
            return self.latest.rates
        try:
            return (await self.get()).rates
        except Unavailable:
            return self.latest.rates

    def forget(self) -> None:
        """Read it again before the next answer: it has changed, or may have."""
        self._news += 1

    def on_change(self, group: str, *, ours: bool) -> None:
        if group == EVERYTHING:
            self.forget()

    def on_loss(self) -> None:
        self.forget()

    @property
    def _is_known(self) -> bool:
        if self._known is None:
            return False
        news, read_at = self._known
        if news != self._news:
            return False
        return self._changes.is_listening or timedelta(0) <= self._clock() - read_at < UNHEARD_LIMIT

    async def _read(self) -> None:
        news, now = self._news, self._clock()
        async with self._database.connection() as connection:
            version = await records.current(connection)
        self.latest = self.settings.under(version.rules)
        self._known = news, now
