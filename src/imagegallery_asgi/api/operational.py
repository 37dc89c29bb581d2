"""Operations: is it alive, can it work, what has it done, what does it offer."""

import anyio
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from imagegallery_asgi.api.responses import Health, Readiness
from imagegallery_asgi.framework.context import Call


async def healthz(call: Call) -> Health:
    """The process answers."""
    return Health("ok")


async def readyz(call: Call) -> Readiness:
    """The database and the store answer too, and what goes on in the background does; 503 otherwise."""
    await call.gallery.ready()
    return Readiness("ok", tuple(await call.gallery.warnings()))


async def metrics(call: Call) -> Response:
    queue = await call.gallery.queue.stats()
    call.host.metrics.tasks_failed(call.gallery.task_failures)
    body = await anyio.to_thread.run_sync(call.host.metrics.render, queue)
    return Response(body, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})


async def openapi(call: Call) -> Response:
    """The OpenAPI 3.1 description of this API, at the address where it is mounted."""
    body = call.host.description(call.api_root)
    return Response(body, media_type="application/json", headers={"Cache-Control": "public, max-age=60"})
