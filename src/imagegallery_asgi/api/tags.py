"""An owner's tags: how many images have each, and other names for them."""

from uuid import UUID

from imagegallery import Conflict, NotFound, Permission
from imagegallery.images.words.words import CountedTag
from imagegallery_asgi.api.documents import cursor_pagination, document
from imagegallery_asgi.api.requests import MergeTags, RenameTag, TagsQuery
from imagegallery_asgi.api.responses.common import CursorList, One
from imagegallery_asgi.api.responses.tags import TagDocument
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.operations import Operation, declaring

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)


@operation("GET", "/tags", "Your tags, and how many images have each", needs_user=True, permission=Permission.NONE)
async def list_tags(call: Call, query: TagsQuery) -> CursorList[TagDocument]:
    """In the order of letters. Images in the trash count in none."""
    tags = call.gallery.images.tags
    page = await tags.list(call.principal, prefix=query.prefix, cursor=query.cursor, limit=query.limit)
    return CursorList(tuple(map(_document, page.items)), cursor_pagination(page))


@operation(
    "PATCH",
    "/tags/{tag_id}",
    "Give a tag another name, on all images that have it",
    raises=(NotFound, Conflict),
    needs_user=True,
    permission=Permission.NONE,
)
async def rename_tag(call: Call, tag_id: UUID, body: RenameTag) -> One[TagDocument]:
    return One(_document(await call.gallery.images.tags.rename(call.principal, tag_id, body.name)))


@operation(
    "POST",
    "/tags/{tag_id}/merge",
    "Let other tags become this one, on all images that have them",
    raises=(NotFound,),
    needs_user=True,
    permission=Permission.NONE,
)
async def merge_tags(call: Call, tag_id: UUID, body: MergeTags) -> One[TagDocument]:
    return One(_document(await call.gallery.images.tags.merge(call.principal, tag_id, body.tag_ids)))


@operation(
    "DELETE",
    "/tags/{tag_id}",
    "Take a tag from all images that have it",
    raises=(NotFound,),
    needs_user=True,
    permission=Permission.NONE,
)
async def delete_tag(call: Call, tag_id: UUID) -> None:
    await call.gallery.images.tags.delete(call.principal, tag_id)


def _document(tag: CountedTag) -> TagDocument:
    return document(TagDocument, tag)
