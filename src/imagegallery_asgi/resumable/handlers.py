"""One address for uploads that come little by little: tus 1.0.0 and the IETF draft, told apart by their headers.

tus clients send ``Tus-Resumable`` with everything (`resumable.tus`); the draft's send ``Upload-Complete`` with bytes,
and a media type of its own (`resumable.ietf`). Questions and cancelling are alike, and answered in the asker's terms.
"""

from uuid import UUID

from starlette.responses import Response

from imagegallery import UploadSession
from imagegallery_asgi.api.requests import ResumableQuery
from imagegallery_asgi.framework.bodies import check_not_encoded
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.errors import MalformedRequest
from imagegallery_asgi.resumable import ietf as resumable_ietf
from imagegallery_asgi.resumable import ietf_wire, tus_wire
from imagegallery_asgi.resumable import tus as resumable_tus
from imagegallery_asgi.resumable.common import fields, in_its_terms, is_tus

_NO_STORE = {"Cache-Control": "no-store"}


async def create(call: Call, query: ResumableQuery) -> Response:
    """tus "Creation" and its kin, or the draft's "Upload Creation"."""
    check_not_encoded(call.request)
    if is_tus(call.request):
        return await resumable_tus.create(call, query)
    asked = ietf_wire.parse_append(fields(call.request))
    if asked.completes is None:
        raise MalformedRequest("Send Tus-Resumable: 1.0.0, or Upload-Complete: ?0 or ?1.")
    return await resumable_ietf.create(call, query, asked)


async def look(call: Call, upload_id: UUID) -> Response:
    """tus "HEAD", or the draft's "Offset Retrieval"."""
    with in_its_terms():
        session = await call.gallery.uploads.resumable.look(call.principal, upload_id)
    return Response(status_code=204, headers={**_NO_STORE, **_description(call, session)})


async def append(call: Call, upload_id: UUID) -> Response:
    """tus "PATCH", or the draft's "Upload Append"."""
    check_not_encoded(call.request)
    if is_tus(call.request):
        return await resumable_tus.append(call, upload_id)
    return await resumable_ietf.append(call, upload_id)


async def terminate(call: Call, upload_id: UUID) -> Response:
    """tus "Termination", or the draft's "Upload Cancellation". An image that an upload has become stays."""
    await call.gallery.uploads.resumable.terminate(call.principal, upload_id)
    return Response(status_code=204)


async def options(call: Call) -> Response:
    """tus "OPTIONS", and the draft's "Limits"."""
    max_size = call.gallery.uploads.policy.max_size
    return Response(status_code=204, headers={**tus_wire.options(max_size), **ietf_wire.options(max_size)})


async def upload_options(call: Call, upload_id: UUID) -> Response:
    """The same, asked of an upload."""
    return await options(call)


def _description(call: Call, session: UploadSession) -> dict[str, str]:
    if is_tus(call.request):
        return tus_wire.description(session)
    max_size = call.gallery.uploads.policy.max_size
    limits = ietf_wire.limits(max_size, session, call.host.clock())
    return {**ietf_wire.description(session), **limits}
