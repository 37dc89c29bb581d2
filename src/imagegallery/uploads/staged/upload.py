"""A file that was checked and stored, and waits to be attached to a row of the application."""

from datetime import datetime
from typing import Any
from uuid import UUID

from attrs import field, frozen

from imagegallery.access.audience import Visibility, VisibilityLike
from imagegallery.common.meta import NO_META, Meta
from imagegallery.database.host.choice import HostConnection
from imagegallery.errors import NotFound
from imagegallery.ids import Id
from imagegallery.images.image.image import Image
from imagegallery.principal import Principal
from imagegallery.uploads.session.session import UploadSession
from imagegallery.uploads.staged.attachments import Attachment, Attachments


@frozen
class StagedFacts:
    """What a staged file is. ``size`` is in bytes, ``width`` and ``height`` are in pixels with the orientation applied,
    ``sha256`` is the raw digest. It can be attached until ``expires_at``. ``image_id`` is the image that it has become,
    if it has."""

    id: UUID
    filename: str
    content_type: str
    size: int
    width: int
    height: int
    sha256: bytes = field(repr=False)
    expires_at: datetime
    image_id: UUID | None


@frozen
class StagedUpload(StagedFacts):
    """A file of a principal, which `attach` makes an image. Made by `UploadService.stage`, and by
    `UploadService.staged` from its id, which a form may carry."""

    _principal: Principal = field(repr=False)
    _attachments: Attachments = field(repr=False, eq=False)

    async def attach(
        self,
        connection: HostConnection | None = None,
        *,
        gallery_id: Id | None = None,
        alt_text: str = "",
        meta: Meta = NO_META,
        visibility: VisibilityLike = Visibility.PRIVATE,
    ) -> Image:
        """Make it an image, in the application's own transaction: it is there when the application commits, with the
        rest. After a rollback it can be attached again; so it can after an error raised here.

        Args:
            connection: The application's own, inside its transaction: see `HostConnection`. Without one, a transaction
                of its own.
            gallery_id: A gallery of the principal, to whose end it goes.
            alt_text: At most 500 characters.
            meta: What the application keeps with the image: a JSON object (`imagegallery.common.meta`).
            visibility: The image's own.

        Raises:
            InvalidInput: With all faults, and for a connection that is in no transaction.
            ConfigurationError: For a connection to another database.
            AlreadyUsed: If it is attached already, with the ``image_id`` in the details.
            NotFound: If it is gone, or the principal may not see the gallery.
            Forbidden: If the gallery is another owner's.
            UploadExpired: If its time is over.
            UploadEnded: If it was cancelled.
            QuotaExceeded: If the owner's storage was limited meanwhile.
        """
        wanted = Attachment.of(gallery_id, alt_text, meta, visibility)
        return await self._attachments.attach(self._principal, self.id, wanted, connection)


def facts_of(session: UploadSession) -> dict[str, Any]:
    """The fields of `StagedFacts`. Raises `NotFound` unless the session is staged."""
    if session.staged is None or session.size is None or session.received_sha256 is None:
        raise NotFound.of("upload")
    return {
        "id": session.id,
        "filename": session.filename,
        "content_type": session.file_type,
        "size": session.size,
        "width": session.staged.picture.width,
        "height": session.staged.picture.height,
        "sha256": session.received_sha256,
        "expires_at": session.expires_at,
        "image_id": session.image_id,
    }
