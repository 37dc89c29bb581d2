"""The SQL of tasks that are done by one of all workers, now and then."""

from datetime import datetime

from imagegallery.database.connection import Connection

# Answers a row to the one who begins it; whoever asks at the same time waits, and sees that it has been.
BEGIN = """
INSERT INTO periodic_tasks (name, begun_at) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET begun_at = excluded.begun_at WHERE periodic_tasks.begun_at <= $3
RETURNING true"""


async def begin(connection: Connection, name: str, *, now: datetime, last_before: datetime) -> bool:
    """Begin the task, unless somebody has since ``last_before``: false."""
    return await connection.fetchval(BEGIN, name, now, last_before) is not None
