"""Which sessions keep another one waiting for a lock."""

from datetime import datetime, timedelta
from typing import Final

import anyio
from attrs import frozen

from imagegallery.database.pool import Database

LOOK_EVERY: Final = timedelta(milliseconds=200)

# An ordinary user only sees the process and names of other users' sessions. A prepared transaction has no session: its
# process is 0.
_BLOCKERS = """
SELECT blocker.pid, usename AS user_name, state, xact_start AS since,
    coalesce(nullif(application_name, ''), backend_type) AS application
FROM unnest(pg_blocking_pids($1)) AS blocker (pid) LEFT JOIN pg_stat_activity USING (pid)
ORDER BY xact_start, pid"""


@frozen
class Blocker:
    """A session that holds a lock, or waits for it in front of others. ``since`` is the start of its transaction."""

    pid: int
    application: str | None
    user_name: str | None
    state: str | None
    since: datetime | None

    def __str__(self) -> str:
        about = [
            self.application,
            self.user_name,
            self.state,
            self.since and f"since {self.since:%Y-%m-%d %H:%M:%S} UTC",
        ]
        return f"process {self.pid} ({', '.join(each for each in about if each) or 'unknown'})"


async def until_blocked(database: Database, backend: int, patience: timedelta) -> list[Blocker]:
    """Return the blockers of the server's process ``backend`` once it has waited for locks for ``patience``."""
    blocked_since: float | None = None
    while True:
        async with database.connection() as connection:
            blockers = [Blocker(**row) for row in await connection.fetch(_BLOCKERS, backend)]
        now = anyio.current_time()
        if not blockers:
            blocked_since = None
        elif blocked_since is None:
            blocked_since = now
        elif now - blocked_since >= patience.total_seconds():
            return blockers
        await anyio.sleep(min(LOOK_EVERY, patience).total_seconds())
