"""Which operation a request comes to, and who is asked about its sender."""

from pathlib import Path

import httpx
import pytest
from starlette.requests import Request

from imagegallery import ImageGallery, Principal, Settings
from imagegallery.database.pool import DatabaseOptions
from imagegallery.galleries.pages import CachedPages
from imagegallery_asgi import create_app
from imagegallery_asgi.app import _routes
from imagegallery_asgi.framework.context import Host
from imagegallery_asgi.framework.operations import Operation
from imagegallery_asgi.routes import OPERATIONS


def test_words_come_before_parameters() -> None:
    """A word that sorts behind ``{`` would be taken for an id, else."""
    host = Host(None, lambda _: None, lambda _root, _policies: b"")
    one = next(each for each in OPERATIONS if each.path == "/images/{image_id}" and each.method == "GET")
    odd = Operation(_all, "GET", "/images/~all", "All", permission=one.permission)
    paths = [getattr(route, "path", "") for route in _routes(host, "", [one, odd])]
    assert paths == ["/images/~all", "/images/{image_id}"]


async def _all(call: object) -> None:
    """A handler."""


async def test_a_fault_of_the_short_way_is_logged_and_the_long_way_answers(
    database_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = []

    def who(_: Request) -> Principal | None:
        asked.append(1)
        return None

    async def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    settings = Settings(data_dir=tmp_path, database=DatabaseOptions(dsn=database_dsn))
    async with ImageGallery.open(settings) as gallery:
        made = await gallery.galleries.create(Principal.user("ana"), name="Lisbon", visibility="public")
        transport = httpx.ASGITransport(create_app(gallery, authenticate=who))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/api/v1") as visitor:
            first = await visitor.get(f"/galleries/{made.id}")
            monkeypatch.setattr(CachedPages, "find", broken)
            asked.clear()
            second = await visitor.get(f"/galleries/{made.id}")
    assert (second.status_code, second.content) == (200, first.content)
    assert "a bug" in caplog.text
    assert len(asked) == 1
