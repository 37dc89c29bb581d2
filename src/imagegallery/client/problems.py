"""Errors from the API (RFC 9457)."""

import json
from collections.abc import Mapping

from imagegallery.errors import ImageGalleryError


class ApiProblem(ImageGalleryError):
    """A refused request.

    Attributes:
        status: HTTP's status.
        problem: The API's code, or ``http_502`` and the like from a server in between.
        retry_after: The seconds that the server asks to wait, if it does.
    """

    code = "api_problem"

    def __init__(self, status: int, problem: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(message, status=status, problem=problem)
        self.status = status
        self.problem = problem
        self.retry_after = retry_after


def read_problem(status: int, headers: Mapping[str, str], body: bytes) -> ApiProblem:
    """Read the problem in a response, from the API or from a server in between."""
    document = _object(body)
    code = document.get("code")
    message = document.get("detail") or document.get("title")
    return ApiProblem(
        status,
        code if isinstance(code, str) else f"http_{status}",
        message if isinstance(message, str) else f"The server answered {status}.",
        _seconds(headers.get("retry-after")),
    )


def _object(body: bytes) -> Mapping[str, object]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _seconds(value: str | None) -> float | None:
    """``Retry-After`` in seconds (RFC 9110 section 10.2.3). A date is ignored."""
    return float(value) if value is not None and value.isascii() and value.isdigit() else None
