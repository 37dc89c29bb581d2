"""Make a staged upload an image, in a transaction that may be the application's own.

Rows are written, and nothing else: the object lies where the image's original will be. So nothing is left to be done
after a commit, which happens without us, and a rollback undoes all of it. Events and the first job are rows, too; what
wakes workers and caches is a NOTIFY, which PostgreSQL sends when the transaction commits.
"""

from uuid import UUID

import attrs
from attrs import frozen

from imagegallery.access import records as access_records
from imagegallery.access.audience import Visibility
from imagegallery.access.authority import AccessSubject
from imagegallery.access.decision import require_own
from imagegallery.access.permission import Permission
from imagegallery.clock import Clock
from imagegallery.common.fault_points import fault_point
from imagegallery.common.meta import Meta, check_meta
from imagegallery.common.validation import Faults
from imagegallery.database.connection import Connection
from imagegallery.database.host.choice import HostConnection
from imagegallery.database.pool import Database
from imagegallery.errors import AlreadyUsed, NotFound
from imagegallery.ids import Id, as_id_or_none
from imagegallery.images.image import membership
from imagegallery.images.image import records as image_records
from imagegallery.images.image.image import MAX_ALT_TEXT, Image
from imagegallery.images.service import ImageService
from imagegallery.principal import Principal
from imagegallery.uploads.completion.completion import Completion
from imagegallery.uploads.session import records
from imagegallery.uploads.session.session import UploadSession

WRITTEN = fault_point("attach.written", "the image is written, the application has not committed it")


@frozen
class Attachment:
    """The image that a staged file is to become: in which gallery, if any, and what the application says of it."""

    gallery_id: UUID | None
    alt_text: str
    meta: Meta
    visibility: Visibility

    @classmethod
    def of(cls, gallery_id: Id | None, alt_text: str, meta: Meta, visibility: Visibility | str) -> "Attachment":
        """Raises `InvalidInput`, with all faults."""
        faults = Faults()
        text = faults.prose(("body", "alt_text"), alt_text, MAX_ALT_TEXT)
        checked = check_meta(faults, ("body", "meta"), meta)
        chosen = faults.choice(("body", "visibility"), visibility, Visibility)
        faults.check()
        return cls(as_id_or_none(gallery_id, "gallery_id"), text, checked, chosen)


@frozen
class Attachments:
    database: Database
    images: ImageService
    completion: Completion
    clock: Clock

    async def attach(
        self, principal: Principal, staged_id: UUID, wanted: Attachment, connection: HostConnection | None
    ) -> Image:
        """See `StagedUpload.attach`."""
        await self.images.rules.meta_checks.check("image", wanted.meta)
        async with self.database.transaction(within=connection) as ours:
            session = require_own(principal, await records.lock(ours, staged_id), "upload")
            await self.images.rules.authority.confirm(
                Permission.EDIT, principal, AccessSubject.of("upload", staged_id, session.facts)
            )
            if session.image_id is not None:
                raise AlreadyUsed("This upload is attached already.", image_id=str(session.image_id))
            image_id = await self._write(ours, principal, session, wanted)
        WRITTEN.reached()
        return await self.images.get(principal, image_id, connection=connection)

    async def _write(
        self, connection: Connection, principal: Principal, session: UploadSession, wanted: Attachment
    ) -> UUID:
        if session.staged is None:
            raise NotFound.of("upload")
        gallery_id = wanted.gallery_id
        if gallery_id is not None:
            facts = await access_records.of_gallery(connection, gallery_id)
            await self.images.rules.authority.require(Permission.ADD_IMAGES, principal, facts, "gallery", gallery_id)
        told = attrs.evolve(session, gallery_id=gallery_id, meta=wanted.meta, visibility=wanted.visibility)
        image_id = (await self.completion.attach(connection, told, session.staged)).future_image_id
        if gallery_id is not None and not await membership.is_member(connection, gallery_id, image_id):
            raise NotFound.of("gallery")  # it was deleted meanwhile
        await image_records.attach(connection, image_id, wanted.alt_text, now=self.clock())
        return image_id
