"""Put images into a gallery under its policy: no more than it may hold, and where there is to be a single one, in the
place of the old one."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen

from imagegallery.access.audience import Audience
from imagegallery.access.decision import Facts, audience
from imagegallery.audit.entry import BY_SYSTEM, SYSTEM, Warrant
from imagegallery.common.validation import Faults
from imagegallery.database.connection import Connection
from imagegallery.errors import Conflict, Refused
from imagegallery.images.image import membership
from imagegallery.images.image.closed_urls import ClosedUrls
from imagegallery.images.image.image import Image
from imagegallery.images.image.membership import HeldGallery, Member
from imagegallery.images.trash import records as trash_records
from imagegallery.images.trash.service import put_away
from imagegallery.policies.registry import Policies
from imagegallery.principal import Principal


def check_addable(principal: Principal, gallery: Facts, image_ids: Sequence[UUID]) -> None:
    """Refuse images that are there already to who adds to another's gallery: they are not theirs to show to others.

    Raises `InvalidInput` with all of them, in the words for those that there are not.
    """
    faults = Faults()
    if audience(principal, gallery) is not Audience.OWNER:
        for index, _ in enumerate(image_ids):
            faults.add(("body", "image_ids", str(index)), "is not one of your images")
    faults.check()


@frozen
class Admission:
    """Adds images to galleries, whose counts are exact: all who add to one gallery hold its row."""

    policies: Policies
    closed_urls: ClosedUrls

    async def add(
        self, connection: Connection, owner_id: str, gallery_id: UUID, image_ids: Sequence[UUID], *, now: datetime
    ) -> None:
        """Append images of the gallery's owner, all or none. If its transaction locks images before, `prepare` comes
        first.

        Raises as `membership.add`; `InvalidInput` for each image that does not keep the gallery's policy; and
        `GalleryFull`.
        """
        membership.check_ids(image_ids)
        name = await self.prepare(connection, owner_id, gallery_id, image_ids)
        gallery = await membership.add(
            connection, gallery_id, image_ids, now=now, fault_of=lambda each: self._fault_of(name, each)
        )
        if gallery is None:
            return
        if gallery.policy != name:
            raise Conflict("The gallery's policy has just changed; try again.")
        await self._settle(connection, gallery, name, image_ids, now)

    async def prepare(
        self, connection: Connection, owner_id: str, gallery_id: UUID, image_ids: Sequence[UUID]
    ) -> str | None:
        """`hold`, before these images are added. Returns the gallery's policy. Raises `InvalidInput` for several where
        a single one is to be."""
        name = await membership.policy_of(connection, gallery_id)
        if self.policies.get(name).single and len(image_ids) > 1:
            faults = Faults()
            faults.add(("body", "image_ids"), "must be one: the gallery holds a single image")
            faults.check()
        await self.hold(connection, name, owner_id, gallery_id, image_ids)
        return name

    async def add_new(self, connection: Connection, gallery_id: UUID, image: Image) -> HeldGallery:
        """Append an image that this transaction has made for the gallery's owner, after `hold`. Returns the gallery,
        whose `GalleryChanged` the caller records.

        Raises `NotFound` if the gallery is gone, `GalleryFull`, and `Refused` if its policy is another one by now than
        that of the image.
        """
        now = image.created_at
        gallery = await membership.add_new(connection, gallery_id, image.id, image.filename, now=now)
        if gallery.policy not in (None, image.policy):
            raise Refused(f"This gallery takes images under the policy {gallery.policy}; this upload is not under it.")
        await self._settle(connection, gallery, image.policy, [image.id], now)
        return gallery

    async def hold(
        self, connection: Connection, name: str | None, owner_id: str, gallery_id: UUID, image_ids: Sequence[UUID] = ()
    ) -> None:
        """Where a single image is to be, hold the one that goes, in the lock order of `membership`."""
        if self.policies.get(name).single:
            await membership.hold_single(connection, gallery_id)
            going = await membership.members(connection, gallery_id)
            await trash_records.lock(connection, owner_id, [*going, *image_ids])

    async def _settle(
        self,
        connection: Connection,
        gallery: HeldGallery,
        name: str | None,
        image_ids: Sequence[UUID],
        now: datetime,
    ) -> None:
        self.policies.check_room(name, gallery.image_count)
        if self.policies.get(name).single and gallery.image_count > len(image_ids):
            going = [each for each in await membership.members(connection, gallery.id) if each not in image_ids]
            staying = await membership.held_elsewhere(connection, gallery.id, going)
            if staying:
                await membership.remove_batch(connection, gallery.id, sorted(staying), now=now)
            unused = [each for each in going if each not in staying]
            if unused:
                by = Warrant(SYSTEM, BY_SYSTEM)
                await put_away(connection, self.closed_urls, gallery.owner_id, unused, by=by, now=now)

    def _fault_of(self, name: str | None, image: Member) -> str | None:
        return self.policies.fault_of(
            name,
            made_under=image.policy,
            content_type=image.mime_type,
            size=image.file_size,
            width=image.width,
            height=image.height,
        )
