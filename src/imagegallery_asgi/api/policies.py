"""The policies that uploads can be under, so that a client can tell beforehand what will be taken."""

from imagegallery import Permission
from imagegallery_asgi.api.documents import policy_documents
from imagegallery_asgi.api.responses.common import CursorList, CursorPagination
from imagegallery_asgi.api.responses.uploads import PolicyDocument
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.operations import Operation, declaring

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)


@operation(
    "GET",
    "/policies",
    "What may be uploaded: under no policy, and under each by name",
    permission=Permission.NONE,
)
async def list_policies(call: Call) -> CursorList[PolicyDocument]:
    return CursorList(policy_documents(call.gallery.uploads.policies()), CursorPagination(None, False))
