"""What records of the application refer to is not deleted, and the answer says so and no more."""

from pathlib import Path

import httpx
import pytest
from tests.support.clock import ManualClock
from tests.support.library import Library, make_image

from imagegallery import ImageGallery, Principal, Settings
from imagegallery.database.pool import DatabaseOptions
from imagegallery_asgi import create_app

ANA = Principal.user("ana")


@pytest.mark.parametrize("kind", ["images", "galleries"])
async def test_a_foreign_key_in_the_way(database_dsn: str, tmp_path: Path, kind: str) -> None:
    settings = Settings(data_dir=tmp_path, database=DatabaseOptions(dsn=database_dsn))
    async with ImageGallery.open(settings) as gallery:
        database = gallery._resources.database
        image = await Library.on(database, tmp_path / "objects", ManualClock()).add_image(make_image())
        lot = await gallery.galleries.create(ANA, name="Lisbon")
        await gallery.images.delete(ANA, image.id)
        async with database.connection() as connection:
            await connection.execute(f"CREATE TABLE orders (secret uuid REFERENCES {kind})")
            await connection.execute(f"INSERT INTO orders SELECT id FROM {kind}")
        transport = httpx.ASGITransport(create_app(gallery, authenticate=lambda _: ANA))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/api/v1") as owner:
            path = f"/images/{image.id}?permanent=true" if kind == "images" else f"/galleries/{lot.id}"
            refused = await owner.delete(path)
            assert (refused.status_code, refused.json()["code"]) == (409, "still_referenced")
            assert "orders" not in refused.text
            async with database.connection() as connection:
                await connection.execute("DELETE FROM orders")
            assert (await owner.delete(path)).status_code == 204
