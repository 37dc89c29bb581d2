"""The page about an application's own feature: everything that its example brings is brought."""

import importlib
import re
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import anyio
import httpx
import pytest
from tests.support.clock import ManualClock
from tests.support.events import PATIENCE
from tests.support.shared_engine import SharedEngine
from tests.support.studio import picture

from imagegallery import ImageGallery, NotFound, Principal, Settings
from imagegallery.storage.streams import bytes_chunks
from imagegallery_asgi import create_app
from imagegallery_asgi.framework.context import API_PREFIX

ROOT = Path(__file__).parents[2]
ANA, BEN, CLEO = map(Principal.user, ("ana", "ben", "cleo"))


@pytest.fixture
def postcards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    page = (ROOT / "docs" / "how-to" / "feature.md").read_text()
    files = dict(re.findall(r"`(\w+\.py)`.*?```python\n(.*?)```", page, re.DOTALL))
    assert list(files) == ["postcards.py", "app.py"]
    for name, code in files.items():
        (tmp_path / name).write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("postcards")
    for name in ("postcards", "app"):
        sys.modules.pop(name, None)


@pytest.fixture
def settings(postcards: ModuleType, tmp_path: Path, database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("IMAGEGALLERY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("IMAGEGALLERY_DATABASE_DSN", database_dsn)
    monkeypatch.setenv("IMAGEGALLERY_POSTCARDS_GREETING", "Caro")
    monkeypatch.setenv("IMAGEGALLERY_FEATURES", "postcards:POSTCARDS")
    return Settings.from_env()


@pytest.fixture
async def gallery(settings: Settings, imaging_engine: SharedEngine, clock: ManualClock) -> AsyncIterator[ImageGallery]:
    async with ImageGallery.open(settings, engine=imaging_engine, clock=clock) as gallery:
        yield gallery


async def test_what_it_brings(gallery: ImageGallery, postcards: ModuleType, clock: ManualClock, tmp_path: Path) -> None:
    (tmp_path / "tram.jpg").write_bytes(picture(90, 60))
    image = await gallery.uploads.add(ANA, tmp_path / "tram.jpg")
    cards = gallery.service(postcards.Postcards)
    with pytest.raises(NotFound):
        await cards.send(BEN, image.id, "cleo")

    app = create_app(gallery, authenticate=lambda _: ANA, operations=postcards.OPERATIONS)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://gallery{API_PREFIX}") as client:
        assert (await client.post(f"/images/{image.id}/postcards/ben")).status_code == 204
        assert (await client.post(f"/images/{postcards.new_id()}/postcards/ben")).status_code == 404
        described = (await client.get("/openapi.json")).json()
    assert described["paths"]["/images/{image_id}/postcards/{to}"]["post"]["x-permission"] == ["view"]
    assert described["webhooks"]["postcard.sent"]["post"]["x-audience"] == "user"

    async with gallery.events.subscribe(BEN, after="0") as events:
        assert (await anext(events)).data == postcards.PostcardSent("ben", image.id)
    with anyio.fail_after(PATIENCE.total_seconds()):
        async with gallery.worker():
            while not (kept := await cards_of(gallery)):
                await anyio.sleep(0.01)
            async with gallery.server.store.get(kept[0]) as card:
                assert b"".join([chunk async for chunk in card.chunks]) == b"Caro ben"
            await gallery.images.delete(ANA, image.id)
            while await cards_of(gallery):
                await anyio.sleep(0.01)

    await gallery.server.store.put("postcards/blank.txt", bytes_chunks(b""), content_type="text/plain")
    clock.advance(timedelta(days=2))
    (finding,) = [
        finding
        for phase in gallery.upkeep.reconciliation(grace=timedelta(hours=1))
        async for step in phase.run(repair=True)
        for finding in step.findings
    ]
    assert (finding.kind, await cards_of(gallery)) == (postcards.BLANK, [])

    await gallery.server.store.put("postcards/old.txt", bytes_chunks(b"Dear ben"), content_type="text/plain")
    clock.advance(timedelta(days=366))
    with anyio.fail_after(PATIENCE.total_seconds()):
        async with gallery.worker():
            while await cards_of(gallery):
                await anyio.sleep(0.01)


def test_the_application_of_the_page_is_put_together(postcards: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    app = importlib.import_module("app").app
    assert f"{API_PREFIX}/images/{{image_id}}/postcards/{{to}}" in [route.path for route in app.routes]


def test_two_operations_of_one_address_are_refused(postcards: ModuleType) -> None:
    with pytest.raises(ValueError, match="there twice"):
        create_app(operations=postcards.OPERATIONS * 2)


async def cards_of(gallery: ImageGallery) -> list[str]:
    return [card.key async for card in gallery.server.store.list("postcards/")]
