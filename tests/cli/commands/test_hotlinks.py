"""``imagegallery hotlinks``: the rules of galleries, for a cache in front."""

import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from tests.cli.conftest import InProcess

from imagegallery.access.audience import Visibility
from imagegallery.database.pool import Database
from imagegallery.galleries import records
from imagegallery.galleries.input import GalleryDraft

ORIGIN = "https://photos.example"


async def made(database: Database, visibility: Visibility, origins: tuple[str, ...] | None) -> UUID:
    gallery_id, draft = uuid4(), GalleryDraft("Lisbon", "", visibility, allowed_origins=origins)
    async with database.transaction() as connection:
        await records.insert(connection, gallery_id, "ana", draft, now=datetime(2026, 11, 30, tzinfo=UTC))
    return gallery_id


async def test_it_prints_the_rules_of_galleries_that_everybody_may_see(
    database: Database, in_process: InProcess, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEGALLERY_DATABASE_DSN", database_dsn)
    monkeypatch.setenv("IMAGEGALLERY_DELIVERY_BASE_URL", "https://service.example/api/v1")
    monkeypatch.setenv("IMAGEGALLERY_CORS_ORIGINS", "https://app.example")
    ruled = await made(database, Visibility.PUBLIC, (ORIGIN, "https://*.blog.example"))
    closed = await made(database, Visibility.UNLISTED, ())
    await made(database, Visibility.PUBLIC, None)
    await made(database, Visibility.PRIVATE, (ORIGIN,))

    printed = (await in_process.aside("hotlinks", "--format", "cloudfront")).stdout
    assert {each["key"]: each["value"] for each in json.loads(printed)["data"]} == {
        "own": "https://service.example https://app.example",
        str(ruled): f"{ORIGIN} https://*.blog.example",
        str(closed): "",
    }
    maps = (await in_process.aside("hotlinks", "--format", "nginx")).stdout
    assert f'"~*^{ruled} https://photos\\.example$" 1;' in maps
    assert f"{closed} 1;" in maps
