"""A picture comes and goes with a row, as the page shows it, with the real drivers."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import asyncpg
import psycopg
import pytest
from sqlalchemy import BigInteger, Identity
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from tests.support.database import DatabaseServer
from tests.support.shared_engine import SharedEngine
from tests.support.studio import picture

from code_blocks import blocks_of
from imagegallery import AlreadyUsed, ImageGallery, NotFound, Principal, Settings
from imagegallery.database.connection import Connection
from imagegallery.database.migrate import migrate
from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.sync import SyncGallery, open_gallery

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "attach.md"
BLOCKS = [block for block in blocks_of(PAGE.read_text()) if block.runner]
[TABLE] = [block.code for block in BLOCKS if block.language == "sql"]
ASYNCPG, SQLALCHEMY, PSYCOPG, DJANGO, FORM, CLAIM, TIDY, REMOVE, OUTBOX = (
    block.code for block in BLOCKS if block.language == "python"
)
ANA, BEN = Principal.user("ana"), Principal.user("ben")
FOUND = "SELECT name, image_id FROM items ORDER BY id"


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    name: Mapped[str]
    image_id: Mapped[UUID]


def taken_from(code: str, **names: object) -> Any:
    """The functions of a block."""
    namespace: dict[str, object] = {"timedelta": timedelta, "UUID": UUID, "Principal": Principal, **names}
    exec(code, namespace)
    return SimpleNamespace(**namespace)


@pytest.fixture
async def dsn(database_server: DatabaseServer) -> AsyncIterator[str]:
    """An application's database, with the gallery in a schema of its own."""
    async with database_server.empty() as dsn:
        async with Database.connect(DatabaseOptions(dsn=dsn, schema="imagegallery")) as database:
            await migrate(database)
        host = await asyncpg.connect(dsn)
        await host.execute(f"SET search_path = public; {TABLE}")
        name = await host.fetchval("SELECT current_database()")
        await host.execute(f'ALTER DATABASE "{name}" SET search_path = public')
        await host.close()
        yield dsn


@pytest.fixture
async def host(dsn: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture
def settings(dsn: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", database=DatabaseOptions(dsn=dsn, schema="imagegallery"))


@pytest.fixture
async def gallery(settings: Settings, imaging_engine: SharedEngine) -> AsyncIterator[ImageGallery]:
    async with ImageGallery.open(settings, engine=imaging_engine) as gallery:
        yield gallery


@pytest.fixture
def waiting(settings: Settings, imaging_engine: SharedEngine) -> Iterator[SyncGallery]:
    with open_gallery(settings, engine=imaging_engine) as gallery:
        yield gallery


async def test_with_asyncpg(gallery: ImageGallery, dsn: str, host: Connection) -> None:
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:
        await taken_from(ASYNCPG, gallery=gallery).add_item(pool, ANA, "Bike", picture(40, 30))
    [(name, image_id)] = await host.fetch(FOUND)
    assert (await gallery.images.get(ANA, image_id)).alt_text == name


async def test_with_sqlalchemy(gallery: ImageGallery, dsn: str, host: Connection) -> None:
    engine = create_async_engine(dsn.replace("postgresql:", "postgresql+asyncpg:").replace("&sslmode=disable", ""))
    block = taken_from(SQLALCHEMY, gallery=gallery, Item=Item)
    await block.add_item(async_sessionmaker(engine), ANA, "Bike", picture(40, 30))
    await engine.dispose()
    [(name, image_id)] = await host.fetch(FOUND)
    assert (await gallery.images.get(ANA, image_id)).alt_text == name


def test_with_psycopg(waiting: SyncGallery, dsn: str) -> None:
    taken_from(PSYCOPG, gallery=waiting).add_item(lambda: psycopg.connect(dsn), ANA, "Bike", picture(40, 30))
    with psycopg.connect(dsn) as host:
        [(name, image_id)] = host.execute(FOUND).fetchall()
    assert waiting.images.get(ANA, image_id).alt_text == name


IN_DJANGO = """
import os, sys
import django
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict

given = conninfo_to_dict(os.environ["IMAGEGALLERY_DATABASE_DSN"])
options = {"sslmode": given["sslmode"]}
database = {"NAME": given["dbname"], "USER": given["user"], "HOST": given["host"], "PORT": given["port"]}
settings.configure(
    USE_TZ=False,  # then Django's times have no zone
    TIME_ZONE="Asia/Tokyo",
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "OPTIONS": options, **database}},
)
django.setup()
from django.db import models
from imagegallery import InvalidInput, Principal
from imagegallery.sync import open_gallery

class Item(models.Model):
    id = models.BigAutoField(primary_key=True)
    name = models.TextField()
    image_id = models.UUIDField()
    class Meta:
        app_label, db_table = "shop", "items"

gallery = open_gallery()
"""
TRIED = """
ana, photo = Principal.user("ana"), sys.stdin.buffer.read()
add_item(ana, "Bike", photo)
item = Item.objects.get()
print(gallery.images.get(ana, item.image_id).alt_text)
with connection.cursor() as cursor:
    cursor.execute("SHOW TimeZone")
    print(cursor.fetchone()[0])
try:
    with transaction.atomic():
        lost = gallery.uploads.stage(ana, photo).attach(connection.connection)
        raise ZeroDivisionError
except ZeroDivisionError:
    print(len(gallery.images.get_many(ana, [lost.id])))
for wrong in (connection, connection.connection):
    try:
        gallery.uploads.stage(ana, photo).attach(wrong)
    except InvalidInput as error:
        print(error)
gallery.close()
"""


def test_with_django(dsn: str, tmp_path: Path) -> None:
    environment = {
        "IMAGEGALLERY_DATA_DIR": str(tmp_path / "data"),
        "IMAGEGALLERY_DATABASE_DSN": dsn,
        "IMAGEGALLERY_DATABASE_SCHEMA": "imagegallery",
    }
    done = subprocess.run(
        [sys.executable, "-c", IN_DJANGO + DJANGO + TRIED],
        input=picture(40, 30),
        env={**os.environ, **environment},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    said = done.stdout.decode().splitlines()
    assert said[:3] == ["Bike", "Asia/Tokyo", "0"]
    assert "pass its `connection.connection`" in said[3]
    assert "in no transaction" in said[4]


async def test_a_form_is_shown_once_more_without_sending_the_file_again(
    gallery: ImageGallery, host: Connection
) -> None:
    submit = taken_from(FORM, gallery=gallery).submit
    shown = await submit(host, ANA, "", photo=picture(40, 30))
    assert shown["width"] == 40
    with pytest.raises(NotFound):
        await submit(host, BEN, "Bike", staged_id=shown["staged_id"])
    image_id = (await submit(host, ANA, "Bike", staged_id=shown["staged_id"]))["image_id"]
    with pytest.raises(AlreadyUsed) as twice:
        await submit(host, ANA, "Bike", staged_id=shown["staged_id"])
    assert twice.value.details == {"image_id": str(image_id)}
    assert await host.fetchval("SELECT count(*) FROM items") == 1


async def test_what_the_browser_uploaded_is_claimed_and_the_rest_goes(gallery: ImageGallery, host: Connection) -> None:
    wanted, unused = [await gallery.uploads.add(ANA, picture(40, 30)) for _ in range(2)]
    add_uploaded = taken_from(CLAIM, gallery=gallery).add_uploaded
    with pytest.raises(NotFound):
        await add_uploaded(host, BEN, "Bike", wanted.id)
    await add_uploaded(host, ANA, "Bike", wanted.id)
    with pytest.raises(AlreadyUsed):
        await add_uploaded(host, ANA, "Another bike", wanted.id)

    tidy = taken_from(TIDY, gallery=gallery, timedelta=lambda **_: timedelta(0)).tidy
    await tidy(ANA)
    assert list(await gallery.images.get_many(ANA, [wanted.id, unused.id])) == [wanted.id]

    remove_item = taken_from(REMOVE, gallery=gallery).remove_item
    await remove_item(host, ANA, await host.fetchval("SELECT id FROM items"))
    assert await gallery.images.get_many(ANA, [wanted.id]) == {}
    assert await host.fetchval("SELECT count(*) FROM items") == 0


def test_with_another_database(waiting: SyncGallery, tmp_path: Path) -> None:
    """Also if the application crashes when the picture is attached, and the item does not say so."""
    shop = sqlite3.connect(tmp_path / "shop.sqlite3")
    shop.executescript(
        """CREATE TABLE items (id integer PRIMARY KEY, name text, image_id text);
        CREATE TABLE pending_pictures (item integer, owner text, staged_id text)"""
    )
    staged = waiting.uploads.stage(ANA, picture(40, 30))
    block = taken_from(OUTBOX, gallery=waiting, AlreadyUsed=AlreadyUsed)
    block.add_item(shop, ANA, "Bike", staged)

    image_id = staged.attach().id  # by an earlier run, which got no further
    block.attach_pending(shop)
    assert shop.execute("SELECT name, image_id FROM items").fetchall() == [("Bike", str(image_id))]
    assert shop.execute("SELECT count(*) FROM pending_pictures").fetchone() == (0,)

    block.add_item(shop, ANA, "Tram", waiting.uploads.stage(ANA, picture(30, 40)))
    block.attach_pending(shop)
    [(_,), (second,)] = shop.execute("SELECT image_id FROM items ORDER BY id").fetchall()
    assert waiting.images.get(ANA, UUID(second)).width == 30
    shop.close()
