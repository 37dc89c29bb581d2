"""How the service itself is. At the root, and but for the metrics below the API's prefix as well: what a proxy keeps
back has one address."""

from imagegallery import Permission
from imagegallery_asgi.api import operational
from imagegallery_asgi.framework.operations import JSON, Content, DeclaredAnswer, Operation

_COUNTERS = 'imagegallery_queue_jobs{state="waiting"} 3.0\n'

OPERATIONS = (
    Operation(
        "GET",
        "/healthz",
        operational.healthz,
        "Is the process alive?",
        needs_principal=False,
        permission=Permission.NONE,
    ),
    Operation(
        "GET",
        "/readyz",
        operational.readyz,
        "Can it work?",
        needs_principal=False,
        permission=Permission.NONE,
    ),
    Operation(
        "GET",
        "/openapi.json",
        operational.openapi,
        "This description",
        answers={200: DeclaredAnswer("An OpenAPI 3.1 document.", (Content(JSON, example={"openapi": "3.1.0"}),))},
        needs_principal=False,
        permission=Permission.NONE,
    ),
)
METRICS = (
    Operation(
        "GET",
        "/metrics",
        operational.metrics,
        "Counters for Prometheus",
        answers={200: DeclaredAnswer("The text exposition.", (Content("text/plain", example=_COUNTERS),))},
        needs_principal=False,
        permission=Permission.NONE,
    ),
)
