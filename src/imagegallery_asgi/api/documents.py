"""Domain values to documents: who may see what of an image, and URLs as clients can use them. Pure."""

from collections.abc import Iterable, Sequence

import attrs

from imagegallery import (
    BatchResult,
    CursorPage,
    Gallery,
    Image,
    Metadata,
    NumberedPage,
    UploadRequest,
    UploadSession,
    UploadState,
    Variant,
)
from imagegallery.access.audience import Audience
from imagegallery.images.library.timeline import MonthColumns, MonthCount
from imagegallery.storage.protocol import Part
from imagegallery.uploads.session.part_plan import PartPlan, SignedPart, missing_parts
from imagegallery_asgi.api.responses import (
    BatchDocument,
    BatchResultDocument,
    CursorList,
    CursorPagination,
    ExifDocument,
    FailureDocument,
    GalleryDocument,
    ImageDocument,
    MonthCountDocument,
    MonthDocument,
    PageList,
    PagePagination,
    PartPlanDocument,
    PartUrlDocument,
    PlaceholderDocument,
    SizesDocument,
    SourceDocument,
    StoredPartDocument,
    StoredPartsDocument,
    TimelineDocument,
    UploadDocument,
    VariantDocument,
)
from imagegallery_asgi.framework.context import absolute


def image_document(image: Image, root: str) -> ImageDocument:
    """``root`` is put in front of URLs that are relative to the API."""
    own = image.audience is Audience.OWNER
    shown = image.responsive
    if shown is None:
        raise ValueError("Services answer images with their responsive description.")
    return ImageDocument(
        id=image.id,
        filename=image.filename,
        mime_type=image.mime_type,
        width=image.width,
        height=image.height,
        frames=image.frames,
        is_truncated=image.is_truncated,
        file_size=image.file_size,
        sha256=image.sha256.hex() if own else None,
        alt_text=image.alt_text,
        taken_at=image.taken_at,
        taken_at_source=image.taken_at_source,
        created_at=image.created_at,
        updated_at=image.updated_at,
        deleted_at=image.deleted_at,
        processing_status=image.status,
        failure=FailureDocument(image.failure.code, image.failure.message) if image.failure else None,
        exif=_exif(image.metadata, own) if image.metadata else None,
        latitude=image.latitude if own else None,
        longitude=image.longitude if own else None,
        is_favorite=own and image.is_favorite,
        is_archived=own and image.is_archived,
        variants=tuple(_variant(variant, root) for variant in image.variants),
        expires_at=image.urls_expire_at,
        src=absolute(shown.src, root) if shown.src is not None else None,
        srcSet=_src_set(shown.src_set, root),
        sources=tuple(SourceDocument(each.type, _src_set(each.src_set, root)) for each in shown.sources),
        sizes=SizesDocument(**shown.sizes),
        placeholder=PlaceholderDocument(shown.placeholder.blurhash, shown.placeholder.aspect_ratio),
    )


def gallery_document(gallery: Gallery, root: str) -> GalleryDocument:
    return GalleryDocument(
        id=gallery.id,
        owner_id=gallery.owner_id if gallery.audience is Audience.OWNER else None,
        name=gallery.name,
        description=gallery.description,
        visibility=gallery.visibility,
        cover_image_id=gallery.cover_image_id,
        cover=image_document(gallery.cover, root) if gallery.cover else None,
        image_count=gallery.image_count,
        created_at=gallery.created_at,
        updated_at=gallery.updated_at,
    )


def upload_document(session: UploadSession, root: str) -> UploadDocument:
    request = session.request or _request_to_us(session)
    rejection = session.rejection
    return UploadDocument(
        id=session.id,
        state=session.state,
        transport=session.transport,
        url=absolute(request.url, root) if request else None,
        method=request.method if request else None,
        fields=dict(request.fields) if request else {},
        headers=dict(request.headers) if request else {},
        parts=_part_plan(session, root),
        filename=session.filename,
        content_type=session.content_type,
        size=session.size,
        received=session.received,
        gallery_id=session.gallery_id,
        created_at=session.created_at,
        expires_at=session.expires_at,
        image_id=session.image_id,
        failure=FailureDocument(rejection.code, rejection.message) if rejection else None,
    )


def cursor_uploads(page: CursorPage[UploadSession], root: str) -> CursorList[UploadDocument]:
    sessions = tuple(upload_document(session, root) for session in page.items)
    return CursorList(sessions, CursorPagination(page.next_cursor, page.has_more))


def part_url(part: SignedPart, root: str) -> PartUrlDocument:
    request = part.request
    url = absolute(request.url, root)
    return PartUrlDocument(part.number, part.size, request.method, url, dict(request.headers), part.expires_at)


def stored_parts(parts: Sequence[Part], plan: PartPlan | None, *, is_open: bool) -> StoredPartsDocument:
    missing = missing_parts(parts, plan.count) if plan and is_open else ()
    return StoredPartsDocument(
        tuple(StoredPartDocument(each.number, each.etag, each.size) for each in parts), (*missing,)
    )


def _part_plan(session: UploadSession, root: str) -> PartPlanDocument | None:
    if session.part_plan is None:
        return None
    urls = tuple(part_url(part, root) for part in session.part_requests)
    return PartPlanDocument(session.part_plan.size, session.part_plan.count, urls)


def _request_to_us(session: UploadSession) -> UploadRequest | None:
    """Where the bytes go when the store cannot take them from the client, while they are awaited."""
    if session.transport != "service" or session.state not in (UploadState.PENDING, UploadState.UPLOADING):
        return None
    return UploadRequest("PUT", f"/uploads/{session.id}/content", headers={"Content-Type": session.content_type})


def cursor_images(page: CursorPage[Image], root: str) -> CursorList[ImageDocument]:
    images = tuple(image_document(image, root) for image in page.items)
    return CursorList(images, CursorPagination(page.next_cursor, page.has_more))


def numbered_images(page: NumberedPage[Image], root: str) -> PageList[ImageDocument]:
    images = tuple(image_document(image, root) for image in page.items)
    return PageList(images, PagePagination(page.page, page.limit, page.total, page.total_pages))


def cursor_galleries(page: CursorPage[Gallery], root: str) -> CursorList[GalleryDocument]:
    galleries = tuple(gallery_document(gallery, root) for gallery in page.items)
    return CursorList(galleries, CursorPagination(page.next_cursor, page.has_more))


def timeline_document(months: Iterable[MonthCount]) -> TimelineDocument:
    return TimelineDocument(tuple(MonthCountDocument(each.month, each.count) for each in months))


def month_document(month: MonthColumns) -> MonthDocument:
    return MonthDocument(month.month, month.ids, month.ratios, month.blurhashes, month.taken_at)


def batch_document(results: Iterable[BatchResult]) -> BatchDocument:
    return BatchDocument(tuple(BatchResultDocument(each.image_id, each.error is None, each.error) for each in results))


def _exif(metadata: Metadata, own: bool) -> ExifDocument:
    # The service has taken the place out for others already; it must not depend on that alone.
    values = attrs.asdict(metadata)
    return ExifDocument(**(values if own else {**values, "latitude": None, "longitude": None, "altitude": None}))


def _variant(variant: Variant, root: str) -> VariantDocument:
    return VariantDocument(
        variant.variant_type,
        variant.format,
        absolute(variant.url, root),
        variant.width,
        variant.height,
        variant.file_size,
        variant.frames,
    )


def _src_set(src_set: str, root: str) -> str:
    """Every candidate's URL made absolute; a URL in a ``srcset`` holds no comma."""
    return ", ".join(absolute(candidate, root) for candidate in src_set.split(", ")) if src_set else ""
