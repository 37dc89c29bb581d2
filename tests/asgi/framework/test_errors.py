"""Every error has one answer, and what we did not expect tells nothing of the inside."""

import inspect
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

import imagegallery
from imagegallery import BadImage, ConfigurationError, ImageGalleryError, Unauthenticated, Unavailable, UploadIncomplete
from imagegallery.errors import Fault, InvalidCursor, LeaseLost, Overloaded
from imagegallery_asgi import create_app
from imagegallery_asgi.framework.errors import InvalidToken, problem, problem_response, row_of
from imagegallery_asgi.framework.metrics import Metrics
from imagegallery_asgi.middleware.exchange import ErrorNet, Exchanges, SafetyHeaders

# Raised inside the worker, where no request can meet them, or answered as `Unavailable` (`ErrorNet`).
NOT_FOR_CLIENTS = {"ImageGalleryError", "ConfigurationError", "LeaseLost", "SlowReader"}  # its stream just ends


def _is_error(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, ImageGalleryError)


@pytest.mark.parametrize("error", [value for _, value in inspect.getmembers(imagegallery, _is_error)])
def test_every_public_error_has_a_status_of_its_own(error: type[ImageGalleryError]) -> None:
    assert (row_of(error).status == 500) == (error.__name__ in NOT_FOR_CLIENTS)


def test_a_subclass_is_answered_like_its_class() -> None:
    assert row_of(UploadIncomplete).status == 409
    assert problem(UploadIncomplete("Not yet."), "r").code == "upload_incomplete"


def test_a_problem_has_all_that_the_error_knows() -> None:
    told = problem(BadImage("too_many_pixels", "Too large.", pixels=7), "r-1")
    assert (told.status, told.code, told.detail, told.requestId) == (422, "bad_image", "Too large.", "r-1")
    assert told.details == {"reason": "too_many_pixels", "pixels": 7}
    faulty = problem(InvalidCursor("No.", [Fault(("query", "cursor"), "is odd")]), "r-2")
    assert [fault.path for fault in faulty.faults] == [("query", "cursor")]


def test_too_much_to_do_says_when_to_come_again() -> None:
    answer = problem_response(Overloaded("Too many wait.", retry_after=7), "r-4")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")


def test_an_internal_error_tells_nothing() -> None:
    told = problem(ConfigurationError("password=secret", path="/srv"), "r-3")
    assert (told.status, told.code, told.details) == (500, "internal_error", {})
    assert "secret" not in told.detail


def raising(error: Exception, *, begin: bool = False) -> httpx.AsyncClient:
    """A client of an application that raises ``error``, after the answer has begun if so wished."""

    class Failing:
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            if begin:
                await send({"type": "http.response.start", "status": 200, "headers": []})
            raise error

    surroundings = [Middleware(Exchanges, metrics=Metrics()), Middleware(SafetyHeaders), Middleware(ErrorNet)]
    app = Starlette(routes=[Route("/", Failing())], middleware=surroundings)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test")


async def test_the_unexpected_is_logged_under_the_request_id(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "imagegallery_asgi")
    async with raising(RuntimeError("secret path /srv")) as client:
        answer = await client.get("/", headers={"X-Request-ID": "find-me"})
    assert (answer.status_code, answer.json()["requestId"]) == (500, "find-me")
    assert "secret" not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "find-me" in caplog.text
    assert "secret path" in caplog.text


@pytest.mark.parametrize(
    ("error", "status", "header", "value"),
    [
        (Unavailable("The database is away."), 503, "Retry-After", "5"),
        (Unauthenticated("Sign in."), 401, "WWW-Authenticate", "Bearer"),
        (InvalidToken("Old."), 401, "WWW-Authenticate", 'Bearer error="invalid_token"'),
        (ExceptionGroup("tasks", [Unavailable("The database is away.")]), 503, "Retry-After", "5"),
    ],
)
async def test_headers_that_belong_to_a_status(error: Exception, status: int, header: str, value: str) -> None:
    async with raising(error) as client:
        answer = await client.get("/")
    assert (answer.status_code, answer.headers[header]) == (status, value)


async def test_an_answer_that_has_begun_is_broken_off() -> None:
    async with raising(RuntimeError("the disk is gone"), begin=True) as client:
        with pytest.raises(RuntimeError, match="the disk is gone"):
            await client.get("/")


async def test_a_client_that_goes_away_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async with raising(ClientDisconnect()) as client:
        assert (await client.get("/")).content == b""
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_an_application_without_a_gallery_says_what_is_missing(caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(authenticate=lambda _: None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
        assert (await client.get("/api/v1/galleries")).status_code == 500
    assert "ImageGallery.open(settings)" in caplog.text


async def test_settings_that_stopped_working_are_told_to_the_log_and_not_to_clients(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR, "imagegallery_asgi")
    async with raising(ConfigurationError("The bucket photos cannot be used: the credentials have expired.")) as client:
        answer = await client.get("/", headers={"X-Request-ID": "find-me"})
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert "photos" not in answer.text
    assert "find-me" in caplog.text
    assert "the credentials have expired" in caplog.text


async def test_an_error_of_ours_that_is_not_for_clients_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "imagegallery_asgi")
    async with raising(LeaseLost("Another worker has it.")) as client:
        answer = await client.get("/")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "Another worker has it." in caplog.text


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConfigurationError("The bucket photos cannot be used."), "The bucket photos cannot be used."),
        (ExceptionGroup("tasks", [Unavailable("The database does not answer.")]), "The database does not answer."),
        (ZeroDivisionError("a bug"), "Traceback"),
    ],
)
async def test_a_start_that_fails_for_a_known_reason_is_told_in_one_line(error: Exception, said: str) -> None:
    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[dict[str, object]]:
        raise error
        yield {}

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    app = create_app(authenticate=lambda _: None, lifespan=lifespan)
    with suppress(ZeroDivisionError):
        await app({"type": "lifespan", "state": {}}, receive, send)
    (message,) = sent
    assert message["type"] == "lifespan.startup.failed"
    assert message["message"].startswith(said)
    assert (said == "Traceback") is (len(message["message"].splitlines()) > 1)
