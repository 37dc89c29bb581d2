"""Duplicates: known files, and images that look alike."""

from imagegallery import (
    NotFound,
    Permission,
    Principal,
)
from imagegallery.images.duplicates.duplicate import KnownFile, Lookalikes
from imagegallery_asgi.api.common import LONG_LIST
from imagegallery_asgi.api.documents import cursor_pagination, image_summary
from imagegallery_asgi.api.requests import CheckFiles, DismissPair, DuplicatesQuery
from imagegallery_asgi.api.responses.common import CursorList, One
from imagegallery_asgi.api.responses.images import LookalikeDocument, LookalikesDocument
from imagegallery_asgi.api.responses.uploads import KnownFileDocument, KnownFilesDocument
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.operations import Operation, declaring

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)


@operation(
    "POST",
    "/uploads/check",
    "Which of up to 1,000 files are in already, by SHA-256",
    json_limit=LONG_LIST,
    permission=Permission.NONE,
)
async def check_files(call: Call, body: CheckFiles) -> One[KnownFilesDocument]:
    digests = [bytes.fromhex(digest) for digest in body.sha256]
    known = await call.gallery.images.duplicates.check(call.principal, digests)
    return One(KnownFilesDocument(tuple(_known(each) for each in known)))


@operation(
    "GET", "/images/duplicates", "Images that look like earlier ones", needs_user=True, permission=Permission.NONE
)
async def list_duplicates(call: Call, query: DuplicatesQuery) -> CursorList[LookalikesDocument]:
    page = await call.gallery.images.duplicates.list(call.principal, cursor=query.cursor, limit=query.limit)
    found = tuple(_lookalikes(each, call.principal, call.api_root) for each in page.items)
    return CursorList(found, cursor_pagination(page))


@operation(
    "POST",
    "/images/duplicates/dismiss",
    "Keep two images that look alike: never list them as a pair again",
    raises=(NotFound,),
    permission=Permission.NONE,
)
async def dismiss_duplicate(call: Call, body: DismissPair) -> None:
    one, other = body.image_ids
    await call.gallery.images.duplicates.dismiss(call.principal, one, other)


def _known(file: KnownFile) -> KnownFileDocument:
    return KnownFileDocument(file.sha256.hex(), file.image_id, file.is_trashed)


def _lookalikes(found: Lookalikes, principal: Principal, root: str) -> LookalikesDocument:
    return LookalikesDocument(
        image_summary(found.image, root),
        tuple(
            LookalikeDocument(image_summary(each.image, root), each.distance, each.is_exact) for each in found.others
        ),
    )
