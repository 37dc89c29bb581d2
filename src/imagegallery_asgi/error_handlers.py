"""Our errors in the routes of a host: answered as the API answers them."""

import logging
from http import HTTPStatus

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from imagegallery import ImageGalleryError, new_id
from imagegallery_asgi.framework.context import REQUEST_ID
from imagegallery_asgi.framework.errors import problem, problem_response, row_of
from imagegallery_asgi.framework.headers import request_id

logger = logging.getLogger("imagegallery_asgi")


def status_of(error: ImageGalleryError) -> int:
    """The HTTP status of an error, for hosts that answer it themselves: 404 for `NotFound`, 422 for `Refused`."""
    return row_of(type(error)).status.value


def problem_of(error: ImageGalleryError, request_id: str = "") -> dict[str, object]:
    """The problem document of an error (RFC 9457), as JSON takes it."""
    document: dict[str, object] = msgspec.json.decode(msgspec.json.encode(problem(error, request_id)))
    return document


def add_error_handlers(app: Starlette) -> None:
    """Answer our errors in the routes of a Starlette or FastAPI application as the API does: with their status and a
    problem document. What is nobody's business is logged, and told without its words."""
    app.add_exception_handler(ImageGalleryError, _answer)


async def _answer(request: Request, error: Exception) -> Response:
    assert isinstance(error, ImageGalleryError)
    mark = request_id(request.headers.get(REQUEST_ID)) or str(new_id())
    if status_of(error) == HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("request %s failed", mark, exc_info=error)
    return problem_response(error, mark, {REQUEST_ID: mark})
