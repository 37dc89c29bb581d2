"""Whether a file that proved to be a good picture may become an image: its policy, and the application itself."""

from uuid import UUID

from attrs import frozen

from imagegallery.access.contributor import ContributorKind
from imagegallery.common.meta import Meta
from imagegallery.errors import Conflict, Forbidden, ImageGalleryError, RateLimited, Refused, Unavailable
from imagegallery.images.metadata.metadata import Metadata
from imagegallery.principal import Principal
from imagegallery.uploads.completion.verification import Verification, VerifiedUpload
from imagegallery.uploads.session.limits import UploadLimits
from imagegallery.uploads.session.rejection import REJECTIONS
from imagegallery.uploads.session.session import UploadSession


@frozen
class NewImage:
    """What a function of the application sees that decides whether a file may become an image: a file that passed all
    other checks, before anything of it is on record.

    ``size`` is in bytes; ``width`` and ``height`` are in pixels as the picture is seen. ``declared_type`` is what its
    client or its name says, ``content_type`` what it is. ``metadata`` is what the file says of itself, ``meta`` what
    the application says of it.
    """

    principal: Principal
    gallery_id: UUID | None
    policy: str
    filename: str
    declared_type: str
    content_type: str
    size: int
    width: int
    height: int
    frames: int
    sha256: bytes
    metadata: Metadata
    meta: Meta


@frozen
class Acceptance:
    """Holds a verified upload to the policy of its session."""

    limits: UploadLimits
    verification: Verification

    async def judge(self, session: UploadSession, policy: str, verified: VerifiedUpload) -> VerifiedUpload:
        """Return what is known of the file by then.

        Raises what refuses the upload, one of `imagegallery.uploads.session.rejection.VERDICTS`; `HookFailed`, or what
        else a hook raises that says "later"; `Conflict` where the application was to be asked and is not here; and
        `ChecksumMismatch` and `ObjectNotFound` for a file that has to be read for its SHA-256.
        """
        found = verified.picture
        self.limits.policies.get(policy).check_dimensions(found.width, found.height)
        if not self.limits.policies.has_hooks(policy):
            if session.asks_application:
                raise Conflict(f"The application's own check of the policy {policy} is not in this process.")
            return verified
        known = await self.verification.with_sha256(session, verified)
        try:
            await self.limits.policies.accept(policy, _new_image(session, policy, known))
        except (*REJECTIONS, Forbidden, Unavailable, RateLimited):
            raise
        except ImageGalleryError as refusal:
            raise Refused(refusal.message, **refusal.details) from refusal
        return known


def _uploader(session: UploadSession) -> Principal:
    if session.sender is None:
        return Principal.user(session.owner_id)
    contributor = session.sender.contributor
    if contributor.kind is ContributorKind.USER:
        return Principal.user(contributor.id)
    return Principal.by_link(session.sender.share_id, UUID(contributor.id), contributor.name)


def _new_image(session: UploadSession, policy: str, verified: VerifiedUpload) -> NewImage:
    found = verified.picture
    return NewImage(
        principal=_uploader(session),
        gallery_id=session.gallery_id,
        policy=policy,
        filename=session.filename,
        declared_type=session.content_type,
        content_type=verified.content_type,
        size=verified.info.size,
        width=found.width,
        height=found.height,
        frames=found.frames,
        sha256=verified.sha256 or b"",
        metadata=found.metadata,
        meta=session.meta,
    )
