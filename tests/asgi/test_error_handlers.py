"""Our errors in the routes of a host are answered as ours are."""

import logging

import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from imagegallery import (
    Conflict,
    DuplicateImage,
    Forbidden,
    ImageGalleryError,
    InvalidInput,
    NotFound,
    QuotaExceeded,
    RateLimited,
    Refused,
    Unauthenticated,
    Unavailable,
)
from imagegallery.errors import Fault, LeaseLost
from imagegallery_asgi import add_error_handlers, problem_of, status_of

ERRORS: dict[str, ImageGalleryError] = {
    "refused": Refused("Your listing may show no faces.", faces=1),
    "busy": RateLimited("Too often.", retry_after=7),
    "internal": LeaseLost("secret"),
}


def starlette() -> Starlette:
    async def fail(request: Request) -> Response:
        raise ERRORS[request.path_params["name"]]

    return Starlette(routes=[Route("/items/{name}", fail)])


def fastapi() -> Starlette:
    app = FastAPI()

    @app.get("/items/{name}")
    async def fail(name: str) -> None:
        raise ERRORS[name]

    return app


@pytest.mark.parametrize("host", [starlette(), fastapi()], ids=["starlette", "fastapi"])
async def test_a_hosts_routes_answer_our_errors_as_the_api_does(
    host: Starlette, caplog: pytest.LogCaptureFixture
) -> None:
    add_error_handlers(host)
    caplog.set_level(logging.ERROR, "imagegallery_asgi")
    transport = httpx.ASGITransport(host, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as client:
        refused = await client.get("/items/refused", headers={"X-Request-ID": "find-me"})
        busy = await client.get("/items/busy")
        internal = await client.get("/items/internal")
    assert (refused.status_code, refused.headers["Content-Type"]) == (422, "application/problem+json")
    assert refused.headers["X-Request-ID"] == refused.json()["requestId"] == "find-me"
    assert (refused.json()["code"], refused.json()["detail"]) == ("refused", "Your listing may show no faces.")
    assert refused.json()["details"] == {"faces": 1}
    assert (busy.status_code, busy.headers["Retry-After"]) == (429, "7")
    assert (internal.status_code, internal.json()["code"]) == (500, "internal_error")
    assert "secret" not in internal.text
    assert "secret" in caplog.text
    assert internal.json()["requestId"] in caplog.text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unauthenticated("Sign in."), 401),
        (Forbidden("No."), 403),
        (QuotaExceeded("Full."), 403),
        (NotFound("No."), 404),
        (Conflict("No."), 409),
        (DuplicateImage("There.", image_id="1"), 409),
        (InvalidInput("No."), 422),
        (Refused("No."), 422),
        (Unavailable("Later."), 503),
    ],
)
def test_other_hosts_ask_for_the_status(error: ImageGalleryError, status: int) -> None:
    assert status_of(error) == status == problem_of(error)["status"]


def test_other_hosts_ask_for_the_document() -> None:
    told = problem_of(InvalidInput("No name.", [Fault(("body", "name"), "is required")]), "find-me")
    assert (told["code"], told["detail"], told["requestId"]) == ("invalid_input", "No name.", "find-me")
    assert told["faults"] == [{"path": ["body", "name"], "message": "is required"}]
