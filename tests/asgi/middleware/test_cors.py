"""Pages of other origins: none by default, those that are named with credentials, any without."""

import httpx
import pytest

from imagegallery import ConfigurationError
from imagegallery.http_options import parse_origins
from imagegallery_asgi import create_app
from imagegallery_asgi.middleware.cors import EXPOSED

PAGE = "https://photos.example"
UPLOADS = "/api/v1/uploads/resumable"


def client(*origins: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_app(cors_origins=origins, authenticate=lambda _: None))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


def preflight(origin: str = PAGE) -> dict[str, str]:
    asked = "tus-resumable, upload-offset, content-type, authorization"
    return {"Origin": origin, "Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": asked}


async def test_nobody_is_let_in_by_default() -> None:
    async with client() as browser:
        answer = await browser.get("/healthz", headers={"Origin": PAGE})
        assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_a_page_that_is_named_may_send_credentials() -> None:
    async with client(PAGE, "http://localhost:5173") as browser:
        answer = await browser.options(f"{UPLOADS}/any", headers=preflight())
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
        assert "upload-offset" in answer.headers["Access-Control-Allow-Headers"]
        assert "Origin" in answer.headers["Vary"]


async def test_preflights_are_answered_with_what_every_answer_has() -> None:
    async with client(PAGE) as browser:
        answer = await browser.options(UPLOADS, headers=preflight() | {"X-Request-ID": "mine"})
        assert answer.headers["X-Request-ID"] == "mine"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_another_page_is_not() -> None:
    async with client(PAGE) as browser:
        answer = await browser.options(UPLOADS, headers=preflight("https://evil.example"))
        assert answer.status_code == 400
        answer = await browser.get("/healthz", headers={"Origin": "https://evil.example"})
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_any_page_may_come_without_credentials() -> None:
    async with client("*") as browser:
        answer = await browser.get("/healthz", headers={"Origin": PAGE})
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_without_sign_in_origins_have_names() -> None:
    with pytest.raises(ConfigurationError, match="open this gallery to every site"):
        create_app(cors_origins=[PAGE, "*"])


async def test_scripts_may_read_what_uploads_answer_also_when_they_fail() -> None:
    async with client(PAGE) as browser:
        answer = await browser.post(UPLOADS, headers={"Origin": PAGE, "Tus-Resumable": "0.1"})
        assert answer.status_code == 412
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
        assert {"Upload-Offset", "Location", "Tus-Version", "Upload-Complete"} <= exposed == set(EXPOSED)


@pytest.mark.parametrize("origin", ["photos.example", "https://photos.example/", "https://*.example", "null", ""])
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(ConfigurationError):
        create_app(cors_origins=[origin])


def test_origins_have_schemes_hosts_and_ports() -> None:
    origins = ("*", PAGE, "http://localhost:5173", "http://[::1]:8000")
    assert parse_origins(origins) == origins


@pytest.mark.parametrize("origin", [{}, {"Origin": PAGE}, {"Origin": "https://evil.example"}])
@pytest.mark.parametrize("allowed", [PAGE, "*"])
async def test_a_cache_keeps_what_one_page_gets_from_others(allowed: str, origin: dict[str, str]) -> None:
    async with client(allowed) as browser:
        answer = await browser.get("/healthz", headers=origin)
        assert answer.headers["Vary"].lower().split(", ").count("origin") == 1
