"""A gallery of Ana's, a share of it by which others add, and the service with which she decides."""

import io
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from attrs import frozen
from PIL import Image as Pillow
from tests.support import shares
from tests.support.clock import ManualClock
from tests.support.uploads import Uploading

from imagegallery.access.permission import VIEWER, Permission
from imagegallery.contributions.service import ContributionService
from imagegallery.database.pool import Database
from imagegallery.ids import new_id
from imagegallery.images.image.image import Image
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.principal import Principal

ANA, BEN = Principal.user("ana"), Principal.user("ben")
ADDING = VIEWER | Permission.ADD_IMAGES


def picture(size: tuple[int, int] = (40, 30)) -> bytes:
    """Another one each time."""
    file = io.BytesIO()
    Pillow.effect_noise(size, 64).convert("RGB").save(file, "JPEG")
    return file.getvalue()


@frozen
class Adding:
    """What others add to ``gallery_id`` by ``share_id``, which ``approval`` of its owner may follow."""

    uploading: Uploading
    service: ContributionService
    gallery_id: UUID
    share_id: UUID

    @property
    def database(self) -> Database:
        return self.uploading.library.database

    def guest(self, name: str = "Inês") -> Principal:
        """Another one each time."""
        return Principal.by_link(self.share_id, new_id(), name)

    async def said(self, **columns: object) -> None:
        """Let the share say something else."""
        await shares.change(self.database, self.share_id, **columns)

    async def add(self, principal: Principal, data: bytes | None = None) -> Image:
        return await self.uploading.service.add(principal, data or picture(), gallery_id=self.gallery_id)

    async def members(self) -> list[UUID]:
        """What is in the gallery, as Ana sees it."""
        page = await self.uploading.library.galleries.list_images(ANA, self.gallery_id)
        return [each.id for each in page.items]

    async def library(self) -> list[UUID]:
        page = await self.uploading.library.images.library.list(ANA)
        return [each.id for each in page.items]

    async def trash(self) -> list[UUID]:
        page = await self.uploading.library.images.trash.list(ANA)
        return [each.id for each in page.items]

    async def pending(self) -> list[UUID]:
        page = await self.service.list(ANA)
        return [each.image.id for each in page.items]

    async def mine(self, principal: Principal) -> list[UUID]:
        page = await self.service.mine(principal)
        return [each.image.id for each in page.items]


@pytest.fixture
async def adding(
    database: Database, clock: ManualClock, tmp_path: Path, imaging_engine: ImagingEngine
) -> AsyncIterator[Adding]:
    async with Uploading.on(database, tmp_path, clock, imaging_engine) as uploading:
        gallery = await uploading.gallery(ANA)
        share_id = await shares.share(database, galleries=[gallery.id], to=["ben"], link=True, permissions=ADDING)
        service = ContributionService(database, uploading.library.images, clock)
        yield Adding(uploading, service, gallery.id, share_id)
