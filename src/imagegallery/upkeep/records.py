"""The SQL of examining a database server."""

from datetime import datetime

from imagegallery.database.connection import Connection

_SERVER_VERSION = "SELECT current_setting('server_version')"

_SERVER_TIME = "SELECT clock_timestamp()"


async def server_version(connection: Connection) -> str:
    version: str = await connection.fetchval(_SERVER_VERSION)
    return version


async def server_time(connection: Connection) -> datetime:
    now: datetime = await connection.fetchval(_SERVER_TIME)
    return now
