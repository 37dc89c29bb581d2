"""Files of a host under WSGI keep the rules of galleries; and what administrators say holds there, too."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.studio import picture

from imagegallery import ImageGallery, Principal, Settings
from imagegallery.database.options import DatabaseOptions
from imagegallery.hosts.wsgi import picture_files
from imagegallery.policies.admin_policy import AdministrationOptions
from imagegallery.sync.gallery import SyncGallery
from imagegallery.sync.portal import Portal

ANA = Principal.user("ana")


@pytest.fixture
def gallery(request: pytest.FixtureRequest, database_dsn: str, tmp_path: Path) -> Iterator[SyncGallery]:
    """Its own, apart from those of the plugin, which a process has one database for."""
    settings = Settings(
        data_dir=tmp_path / "data",
        database=DatabaseOptions(dsn=database_dsn),
        administration=AdministrationOptions(hotlinks=getattr(request, "param", True)),
    )
    definition = ImageGallery.define()

    @asynccontextmanager
    async def opening() -> AsyncIterator[ImageGallery]:
        async with definition.open(settings) as opened, opened.eager():
            yield opened

    with SyncGallery(Portal(opening), definition) as opened:
        yield opened


def status_of(gallery: SyncGallery, url: str, **told: str) -> tuple[str, str | None]:
    answered: list[Any] = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": url, "HTTP_HOST": "shop.example", **told}
    body = picture_files(gallery)(environ, lambda status, headers: answered.append((status[:3], dict(headers))))  # type: ignore[arg-type] # what a server gives has more
    b"".join(body)
    [(status, headers)] = answered
    return status, headers.get("Cache-Control")


def public_picture(gallery: SyncGallery, origins: list[str] | None) -> str:
    made = gallery.galleries.create(ANA, name="Lisbon", visibility="public", allowed_origins=origins)
    image = gallery.uploads.add(ANA, picture(96, 64), filename="tram.jpg", gallery_id=made.id)
    return gallery.images.get(ANA, image.id).variants[0].url


def test_a_page_of_others_is_refused(gallery: SyncGallery) -> None:
    url = public_picture(gallery, ["https://photos.example"])
    kept = "private, max-age=31536000, immutable"
    assert status_of(gallery, url) == ("200", kept)
    assert status_of(gallery, url, HTTP_REFERER="https://photos.example/x") == ("200", kept)
    assert status_of(gallery, url, HTTP_REFERER="https://shop.example/x") == ("200", kept)
    for told in (
        {"HTTP_ORIGIN": "null"},
        {"HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_REFERER": "https://a.example/"},
    ):
        assert status_of(gallery, url, **told)[0] == "403"


@pytest.mark.parametrize(("gallery", "status"), [(True, "200"), (False, "403")], indirect=["gallery"])
def test_administrators_say_what_holds_without_a_rule(gallery: SyncGallery, status: str) -> None:
    url = public_picture(gallery, None)
    assert status_of(gallery, url, HTTP_REFERER="https://a.example/")[0] == status
    assert status_of(gallery, url, HTTP_REFERER="https://shop.example/")[0] == "200"
