"""One process of a service as the HTTP package uses it: it asks for pages, encoded."""

from uuid import UUID

import anyio
import anyio.lowlevel
from tests.support.library import Library, make_image
from tests.support.processes import Process, settle

from imagegallery.galleries.pages import CachedPage, ListPlace, LoadedPage
from imagegallery.galleries.service import GalleryService
from imagegallery.principal import Principal

ANA, VISITOR = Principal.user("ana"), Principal.anonymous()


class Site:
    """``loads`` counts what reached the database; while ``gate`` is closed, loads have read and wait before they
    answer."""

    def __init__(self, library: Library, process: Process) -> None:
        self.galleries = GalleryService(process.database, library.delivery, library.clock)
        self.process = process
        self.loads = 0
        self.gate = anyio.Event()
        self.gate.set()

    async def gallery(self, gallery_id: UUID, principal: Principal = VISITOR) -> CachedPage:
        async def load() -> bytes:
            self.loads += 1
            name = (await self.galleries.get(principal, gallery_id)).name.encode()
            await self.gate.wait()
            return name

        return await self.process.pages.gallery(principal, gallery_id, "gallery", load)

    async def name(self, gallery_id: UUID) -> str:
        return (await self.gallery(gallery_id)).body.decode()

    async def images(self, gallery_id: UUID, cursor: str | None = None, principal: Principal = VISITOR) -> CachedPage:
        """A page of one image: its body is the cursor of the next page."""

        async def load() -> LoadedPage:
            found = await self.galleries.list_images(principal, gallery_id, cursor=cursor, limit=1)
            return LoadedPage((found.next_cursor or "").encode(), found.next_cursor)

        return await self.process.pages.images(principal, gallery_id, ListPlace("images", cursor=cursor), load)

    async def rename(self, gallery_id: UUID, name: str) -> None:
        """A change by this process."""
        await self.galleries.update(ANA, gallery_id, name=name)


async def settled(*processes: Process) -> None:
    """Everything committed before was heard, and the database asked what it had seen by then."""
    for process in processes:
        await settle(process.changes)
        assert process.floors is not None
        with anyio.fail_after(30):
            while process.floors.of("any") is None:
                await anyio.lowlevel.checkpoint()
            while process.floors._waiting or process.floors._asking:
                await anyio.lowlevel.checkpoint()


async def a_gallery(library: Library, *sites: Site) -> UUID:
    gallery = await library.galleries.create(ANA, name="Lisbon", visibility="public")
    await library.add_image(make_image(), gallery.id)
    await settled(*(site.process for site in sites))
    return gallery.id
