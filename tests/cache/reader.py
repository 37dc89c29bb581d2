"""A process that reads galleries, for `test_two_processes`: ``python -m tests.cache.reader DSN REDIS_URL``.

For each gallery's id on a line of its input it prints how the page was come by, and the gallery's name, after it has
heard of all that was committed before; for ``hear`` and an id, that it has.
"""

import sys
from datetime import timedelta
from uuid import UUID

import anyio
from tests.support.processes import Process, running_process, settle

from imagegallery.clock import utc_now
from imagegallery.galleries import records
from imagegallery.principal import Principal
from imagegallery.redis.options import RedisOptions


async def name_of(process: Process, gallery_id: UUID) -> str:
    async def load() -> bytes:
        async with process.database.connection() as connection:
            gallery = await records.get(connection, gallery_id)
        assert gallery is not None
        return gallery.name.encode()

    page = await process.pages.gallery(Principal.anonymous(), gallery_id, "gallery", load)
    return f"{page.result} {page.body.decode()}"


async def main(dsn: str, redis_url: str) -> None:
    options = RedisOptions(url=redis_url, timeout=timedelta(seconds=10), rest=timedelta(milliseconds=50))
    async with running_process(dsn, utc_now, redis=options) as process:
        assert process.floors is not None
        async with await anyio.open_file(sys.stdin.fileno()) as lines:
            async for line in lines:
                *words, gallery_id = line.split()
                await settle(process.changes)
                while process.floors.of(gallery_id) is None:
                    await anyio.sleep(0.001)
                print("heard" if words else await name_of(process, UUID(gallery_id)), flush=True)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2])
