"""Operation of the service: liveness, readiness, metrics, and its description."""

import anyio
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from imagegallery import Permission
from imagegallery_asgi.api.documents import policy_documents
from imagegallery_asgi.api.responses.operational import Health, Readiness
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.operations import JSON, Content, DeclaredAnswer, Operation, declaring

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)
METRICS: list[Operation] = []
metrics_operation = declaring(METRICS)

_COUNTERS = 'imagegallery_queue_jobs{state="waiting"} 3.0\n'


@operation("GET", "/healthz", "Is the process alive?", needs_principal=False, permission=Permission.NONE)
async def get_health(call: Call) -> Health:
    """The process responds."""
    return Health("ok")


@operation("GET", "/readyz", "Can it work?", needs_principal=False, permission=Permission.NONE)
async def get_readiness(call: Call) -> Readiness:
    """The database and the store respond, too, and background tasks run; 503 otherwise."""
    await call.gallery.ready()
    return Readiness("ok", tuple(await call.gallery.warnings()))


@metrics_operation(
    "GET",
    "/metrics",
    "Counters for Prometheus",
    answers={200: DeclaredAnswer("The text exposition.", (Content("text/plain", example=_COUNTERS),))},
    needs_principal=False,
    permission=Permission.NONE,
)
async def get_metrics(call: Call) -> Response:
    queue = await call.gallery.server.queue.stats()
    call.host.metrics.tasks_failed(call.gallery.server.task_failures)
    body = await anyio.to_thread.run_sync(call.host.metrics.render, queue)
    return Response(body, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})


@operation(
    "GET",
    "/openapi.json",
    "This description",
    answers={200: DeclaredAnswer("An OpenAPI 3.1 document.", (Content(JSON, example={"openapi": "3.1.0"}),))},
    needs_principal=False,
    permission=Permission.NONE,
)
async def get_openapi(call: Call) -> Response:
    """The OpenAPI 3.1 description of this API, at the address where it is mounted."""
    body = call.host.description(call.api_root, policy_documents(call.gallery.uploads.policies()))
    return Response(body, media_type="application/json", headers={"Cache-Control": "public, max-age=60"})
