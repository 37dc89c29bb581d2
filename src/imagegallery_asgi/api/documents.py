"""From domain values to documents: who may see which part of an image, and URLs for clients. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Final, TypeAlias, TypeVar, cast

import attrs
from msgspec import UNSET

from imagegallery import (
    BatchResult,
    CursorPage,
    Gallery,
    Image,
    Metadata,
    NumberedPage,
    Permission,
    Policy,
    UploadRequest,
    UploadSession,
    UploadState,
    Variant,
)
from imagegallery.access.audience import Audience
from imagegallery.access.contributor import Contributor
from imagegallery.access.explanation import AccessReport, Holder
from imagegallery.access.grant import DownloadAllowed, MetadataShown
from imagegallery.images.library.timeline import MonthColumns, MonthCount
from imagegallery.images.presentation.responsive import SIZES, absolute, describe
from imagegallery.sharing.link import OpenedShare
from imagegallery.sharing.received import ReceivedShare
from imagegallery.sharing.share import CreatedShare, RecipientKind, Share, ShareAccess, ShareRecipient, permission_names
from imagegallery.storage.protocol import Part
from imagegallery.uploads.session.part_plan import PartPlan, SignedPart, missing_parts
from imagegallery_asgi.api.responses.access import AccessDocument, HeldGrantDocument, HolderDocument
from imagegallery_asgi.api.responses.common import CursorList, CursorPagination, PagePagination
from imagegallery_asgi.api.responses.galleries import GalleryDetail, GalleryDocument
from imagegallery_asgi.api.responses.image_lists import IMAGE_LISTS, ImageChoice, Images, TrashedImages
from imagegallery_asgi.api.responses.images import (
    BatchDocument,
    BatchResultDocument,
    ContributorDocument,
    ExifDocument,
    FailureDocument,
    GalleryImage,
    ImageDetail,
    ImageSummary,
    SizesDocument,
    SourceDocument,
    TrashedImage,
    VariantDetail,
    VariantSummary,
)
from imagegallery_asgi.api.responses.shares import (
    CreatedShareDocument,
    LinkDocument,
    PermissionName,
    ReceivedShareDocument,
    RecipientDocument,
    ShareAccessDocument,
    ShareDocument,
    TargetDocument,
    VisitDocument,
)
from imagegallery_asgi.api.responses.timeline import (
    MonthCountDocument,
    MonthDocument,
    MonthPartDocument,
    TimelineDocument,
)
from imagegallery_asgi.api.responses.uploads import (
    PartPlanDocument,
    PartUrlDocument,
    PolicyDocument,
    StoredPartDocument,
    StoredPartsDocument,
    UploadDocument,
)

D = TypeVar("D", bound=attrs.AttrsInstance)
S = TypeVar("S", bound=ImageSummary)
G = TypeVar("G", bound=GalleryDocument)
H = TypeVar("H", bound=ShareDocument)
V = TypeVar("V", bound=VariantSummary)
P = TypeVar("P", CursorPagination, PagePagination)
T = TypeVar("T")
Addresses: TypeAlias = Callable[[str], str]

_SIZES: Final = SizesDocument(**SIZES)
_CHOICES: Final = tuple(attrs.fields_dict(ImageChoice))  # type: ignore[arg-type]
# A summary suffices for these fields; a detailed document has other variants.
_IN_SUMMARY: Final = {*(each.name for each in attrs.fields(GalleryImage)), "ratio"} - {"variants"}


def document(kind: type[D], value: object, **others: object) -> D:
    """A document of this kind, whose fields are the value's of the same names, except for ``others``."""
    return kind(**{name: others[name] if name in others else getattr(value, name) for name in _names_of(kind)})


@cache
def _names_of(kind: type[attrs.AttrsInstance]) -> tuple[str, ...]:
    return tuple(each.name for each in attrs.fields(kind))


def image_summary(image: Image, root: str) -> ImageSummary:
    """``root`` is added before URLs that are relative to the API."""
    return _image(ImageSummary, _variant_summary, image, root)


def image_detail(image: Image, root: str) -> ImageDetail:
    own, has_place = image.audience is Audience.OWNER, image.disclosure.has_place
    return _image(
        ImageDetail,
        _variant_detail,
        image,
        root,
        sha256=image.sha256.hex() if own and image.sha256 else None,
        failure=FailureDocument(image.failure.code, image.failure.message) if image.failure else None,
        exif=_exif(image.metadata, has_place) if image.metadata else None,
        latitude=image.latitude if has_place else None,
        longitude=image.longitude if has_place else None,
        is_archived=own and image.is_archived,
        visibility=image.visibility if own else None,
        policy=image.policy if own else None,
        added_by=added_by(image.added_by) if own and image.added_by else None,
        sizes=_SIZES,
    )


def _image(kind: type[S], of_variant: Callable[[Variant, str], V], image: Image, root: str, **others: object) -> S:
    own = image.audience is Audience.OWNER
    shown = describe(image.variants, width=image.width, height=image.height, root=root)
    return document(
        kind,
        image,
        processing_status=image.status,
        is_favorite=own and image.is_favorite,
        expires_at=image.urls_expire_at,
        variants=tuple(of_variant(each, root) for each in image.variants),
        src=shown.src,
        srcSet=shown.src_set,
        sources=tuple(SourceDocument(each.type, each.src_set) for each in shown.sources),
        **others,
    )


def _variant_summary(variant: Variant, root: str) -> VariantSummary:
    url = absolute(variant.url, root)
    return VariantSummary(variant.variant_type, variant.format, variant.width, variant.height, url)


def _variant_detail(variant: Variant, root: str) -> VariantDetail:
    return document(VariantDetail, variant, type=variant.variant_type, url=absolute(variant.url, root))


def chosen_fields(asked: Sequence[str] | None) -> tuple[str, ...]:
    """The requested ``fields``, each once and in the order of the documents, so that equal choices have one name."""
    return tuple(name for name in _CHOICES if name in (asked or ()))


def image_choice(image: Image, root: str, fields: Sequence[str]) -> ImageChoice:
    """Some ``fields`` of the detailed document, or the ``position``."""
    is_brief = _IN_SUMMARY.issuperset(fields)
    told = image_summary(image, root) if is_brief else image_detail(image, root)
    made: Callable[..., ImageChoice] = ImageChoice
    return made(**{name: getattr(told if hasattr(told, name) else image, name) for name in fields})


def image_list(
    images: Iterable[Image], pagination: P, root: str, kind: type[S], fields: Sequence[str] = ()
) -> Images[S, P] | Images[ImageChoice, P]:
    """A page of documents of this kind, or of some ``fields`` of the detailed one."""
    made = IMAGE_LISTS[ImageChoice if fields else kind, type(pagination)]
    if fields:
        return made(tuple(image_choice(image, root, fields) for image in images), pagination, _SIZES)
    return made(tuple(_image(kind, _variant_summary, image, root) for image in images), pagination, _SIZES)


def trash_list(
    page: CursorPage[Image], root: str, retention: timedelta, fields: Sequence[str] = ()
) -> TrashedImages | Images[ImageSummary, CursorPagination] | Images[ImageChoice, CursorPagination]:
    """A page of the trash, or of some ``fields`` of it."""
    if fields:
        return image_list(page.items, cursor_pagination(page), root, ImageSummary, fields)
    images = tuple(_trashed(each, root, retention) for each in page.items)
    return TrashedImages(images, cursor_pagination(page), _SIZES, kind="trash")


def _trashed(image: Image, root: str, retention: timedelta) -> TrashedImage:
    purge_at = None if image.deleted_at is None else image.deleted_at + retention
    return _image(TrashedImage, _variant_summary, image, root, purge_at=purge_at)


def cursor_pagination(page: CursorPage[T]) -> CursorPagination:
    return CursorPagination(page.next_cursor, page.has_more)


def page_pagination(page: NumberedPage[T]) -> PagePagination:
    return PagePagination(page.page, page.limit, page.total, page.total_pages)


def gallery_document(gallery: Gallery, root: str, *, with_meta: bool = False) -> GalleryDocument:
    return _gallery(GalleryDocument, gallery, root, meta=gallery.meta if with_meta else UNSET)


def gallery_detail(gallery: Gallery, root: str, policy: Policy | None) -> GalleryDetail:
    """``policy`` is what may be uploaded into it, if that is known."""
    told = None if policy is None or gallery.audience is not Audience.OWNER else policy_document(gallery.policy, policy)
    return _gallery(GalleryDetail, gallery, root, upload_policy=told)


def _gallery(kind: type[G], gallery: Gallery, root: str, **others: object) -> G:
    own = gallery.audience is Audience.OWNER
    return document(
        kind,
        gallery,
        owner_id=gallery.owner_id if own else None,
        policy=gallery.policy if own else None,
        allowed_origins=gallery.allowed_origins if own else None,
        cover=image_summary(gallery.cover, root) if gallery.cover else None,
        **others,
    )


def access_document(report: AccessReport) -> AccessDocument:
    return document(AccessDocument, report, holders=tuple(map(_holder_document, report.holders)))


def _holder_document(holder: Holder) -> HolderDocument:
    grants = tuple(
        document(
            HeldGrantDocument,
            held,
            share_id=held.grant.share_id,
            expires_at=held.grant.expires_at,
            **_levels(held.grant.allowed, held.grant.metadata, held.grant.allowed_download),
        )
        for held in holder.grants
    )
    return document(
        HolderDocument, holder, grants=grants, **_levels(holder.permissions, holder.metadata, holder.download)
    )


def _levels(granted: Permission, metadata: MetadataShown, download: DownloadAllowed) -> Mapping[str, object]:
    return {
        "permissions": tuple(str(each.name).lower() for each in granted),
        "metadata": metadata.name.lower(),
        "download": download.name.lower(),
    }


def added_by(contributor: Contributor) -> ContributorDocument:
    return ContributorDocument(contributor.kind.value, contributor.name)


def policy_document(name: str | None, policy: Policy) -> PolicyDocument:
    return document(PolicyDocument, policy, name=name)


def policy_documents(policies: Mapping[str | None, Policy]) -> tuple[PolicyDocument, ...]:
    return tuple(policy_document(name, policy) for name, policy in policies.items())


def share_document(share: Share, url: str | None) -> ShareDocument:
    """``url`` is the page of its link, if it is known."""
    return _share(ShareDocument, share, url)


def created_share(created: CreatedShare, url: str | None) -> CreatedShareDocument:
    return _share(CreatedShareDocument, created.share, url, token=created.token)


def _share(kind: type[H], share: Share, url: str | None, **others: object) -> H:
    return document(
        kind,
        share,
        url=url,
        targets=tuple(TargetDocument(each.gallery_id, each.image_id, each.is_library) for each in share.targets),
        permissions=_names(share.permissions),
        metadata=share.metadata.name.lower(),
        download=share.download.name.lower(),
        recipients=tuple(map(_recipient, share.recipients)),
        **others,
    )


def _names(granted: Permission) -> tuple[PermissionName, ...]:
    return cast("tuple[PermissionName, ...]", permission_names(granted))


def received_document(share: ReceivedShare) -> ReceivedShareDocument:
    return document(
        ReceivedShareDocument,
        share,
        targets=tuple(TargetDocument(each.gallery_id, each.image_id, each.is_library) for each in share.targets),
        permissions=_names(share.permissions),
        metadata=share.metadata.name.lower(),
        download=share.download.name.lower(),
    )


def _recipient(recipient: ShareRecipient) -> RecipientDocument:
    return document(
        RecipientDocument,
        recipient,
        user=recipient.name if recipient.kind is RecipientKind.USER else None,
        email=recipient.name if recipient.kind is RecipientKind.EMAIL else None,
        group=recipient.name if recipient.kind is RecipientKind.GROUP else None,
        permissions=None if recipient.permissions is None else _names(recipient.permissions),
        metadata=None if recipient.metadata is None else recipient.metadata.name.lower(),
        download=None if recipient.download is None else recipient.download.name.lower(),
    )


def cursor_accesses(page: CursorPage[ShareAccess]) -> CursorList[ShareAccessDocument]:
    told = tuple(
        document(
            ShareAccessDocument,
            each,
            day=each.day.isoformat(),
            recipient=None if each.recipient is None else _recipient(each.recipient),
        )
        for each in page.items
    )
    return CursorList(told, cursor_pagination(page))


def link_document(
    opened: OpenedShare,
    galleries: Iterable[Gallery],
    images: Iterable[Image],
    root: str,
    *,
    has_library: bool,
    takes_uploads: bool,
) -> LinkDocument:
    share, visit, visitor = opened.share, opened.visit, opened.principal.link
    return document(
        LinkDocument,
        share,
        permissions=_names(share.permissions),
        metadata=share.metadata.name.lower(),
        download=share.download.name.lower(),
        library=has_library,
        galleries=tuple(gallery_document(each, root) for each in galleries),
        images=tuple(image_summary(each, root) for each in images),
        takes_uploads=takes_uploads,
        guest_name=None if visitor is None else visitor.guest_name or None,
        visit=None if visit is None else VisitDocument(visit.token, visit.expires_at),
    )


def upload_document(session: UploadSession, at: Addresses) -> UploadDocument:
    """``at`` makes URLs of those that are relative to the API, as `Call.url` does."""
    request = session.request or _request_to_us(session)
    rejection = session.rejection
    return document(
        UploadDocument,
        session,
        url=at(request.url) if request else None,
        method=request.method if request else None,
        fields=dict(request.fields) if request else {},
        headers=dict(request.headers) if request else {},
        parts=_part_plan(session, at),
        failure=FailureDocument(rejection.code, rejection.message) if rejection else None,
    )


def cursor_uploads(page: CursorPage[UploadSession], at: Addresses) -> CursorList[UploadDocument]:
    sessions = tuple(upload_document(session, at) for session in page.items)
    return CursorList(sessions, cursor_pagination(page))


def part_url(part: SignedPart, at: Addresses) -> PartUrlDocument:
    request = part.request
    url = at(request.url)
    return document(PartUrlDocument, part, method=request.method, url=url, headers=dict(request.headers))


def stored_parts(parts: Sequence[Part], plan: PartPlan | None, *, is_open: bool) -> StoredPartsDocument:
    missing = missing_parts(parts, plan.count) if plan and is_open else ()
    return StoredPartsDocument(tuple(document(StoredPartDocument, each) for each in parts), (*missing,))


def _part_plan(session: UploadSession, at: Addresses) -> PartPlanDocument | None:
    if session.part_plan is None:
        return None
    urls = tuple(part_url(part, at) for part in session.part_requests)
    return PartPlanDocument(session.part_plan.size, session.part_plan.count, urls)


def _request_to_us(session: UploadSession) -> UploadRequest | None:
    """The request for sending the bytes to us, if the store cannot receive them from clients, while they are wanted."""
    if session.transport != "service" or session.state not in (UploadState.PENDING, UploadState.UPLOADING):
        return None
    return UploadRequest("PUT", f"/uploads/{session.id}/content", headers={"Content-Type": session.content_type})


def cursor_galleries(page: CursorPage[Gallery], root: str, *, with_meta: bool) -> CursorList[GalleryDocument]:
    galleries = tuple(gallery_document(gallery, root, with_meta=with_meta) for gallery in page.items)
    return CursorList(galleries, cursor_pagination(page))


def timeline_document(months: Iterable[MonthCount]) -> TimelineDocument:
    return TimelineDocument(
        tuple(
            document(MonthCountDocument, each, parts=tuple(document(MonthPartDocument, part) for part in each.parts))
            for each in months
        )
    )


def month_document(month: MonthColumns) -> MonthDocument:
    return MonthDocument(month.month, month.ids, month.ratios, month.blurhashes, month.taken_at)


def batch_document(results: Iterable[BatchResult]) -> BatchDocument:
    return BatchDocument(tuple(BatchResultDocument(each.image_id, each.error is None, each.error) for each in results))


def _exif(metadata: Metadata, has_place: bool) -> ExifDocument:
    # The service has removed the place for others already; this must not depend on that alone.
    return document(ExifDocument, metadata if has_place else metadata.without_place())
