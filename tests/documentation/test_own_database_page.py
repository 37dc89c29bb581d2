"""A gallery in an application's database, as the page shows it: with Alembic's and Django's migrations, and dumped."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from tests.support.database import DatabaseServer
from tests.support.shared_engine import SharedEngine
from tests.support.studio import picture

from code_blocks import blocks_of
from imagegallery import Image, ImageGallery, Principal, Settings
from imagegallery.database.connection import Connection
from imagegallery.database.embedded.binaries import programs
from imagegallery.database.embedded.cluster import SUPERUSER
from imagegallery.database.pool import DatabaseOptions

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "own-database.md"
BLOCKS = [block for block in blocks_of(PAGE.read_text()) if block.runner]
REVISION, MODELS, DJANGO = (block.code for block in BLOCKS if block.language == "python")
MIGRATE, MIGRATE_BOTH, DUMP, RESTORE = (block.code for block in BLOCKS if block.language == "sh")
[GRANTS] = [block.code for block in blocks_of(PAGE.read_text()) if "GRANT USAGE" in block.code]
ME = Principal.user("ada")
PROGRAMS = programs()
HOST = """
CREATE TABLE schema_migrations (version text);
CREATE TABLE images (name text);
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public', current_database()); END $$;
"""


@pytest.fixture
async def dsn(database_server: DatabaseServer) -> AsyncIterator[str]:
    """An application's database, which has tables of names that ours have, too. Its role is not named like our schema,
    as these tests' is, which would look there first."""
    async with database_server.empty() as dsn:
        host = await asyncpg.connect(dsn)
        await host.execute(HOST)
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
def environment(dsn: str, tmp_path: Path) -> Mapping[str, str]:
    """Of a shell in which the page's first block ran, and the programs are found."""
    path = os.pathsep.join((str(Path(sys.executable).parent), str(PROGRAMS), os.environ["PATH"]))
    own = {"PATH": path, "DATABASE": dsn, "IMAGEGALLERY_DATA_DIR": str(tmp_path / "data")}
    return {**os.environ, **own}


def shell(script: str, environment: Mapping[str, str], folder: Path) -> str:
    done = subprocess.run(
        ["bash", "-euc", MIGRATE + script], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def add_image(dsn: str, engine: SharedEngine, data_dir: Path) -> Image:
    settings = Settings(data_dir=data_dir, database=DatabaseOptions(dsn=dsn, schema="imagegallery"))
    async with ImageGallery.open(settings, engine=engine) as gallery:
        return await gallery.uploads.add(ME, picture(90, 60), filename="tram.png")


# --- with migrations of the application ------------------------------------------------------------------------------

ALEMBIC = """
from alembic import context
from sqlalchemy import create_engine
from models import is_ours, metadata

with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, include_object=is_ours)
    with context.begin_transaction():
        context.run_migrations()
"""


async def test_with_alembic(
    dsn: str, host: Connection, environment: Mapping[str, str], tmp_path: Path, imaging_engine: SharedEngine
) -> None:
    await host.execute("DROP TABLE images, schema_migrations")  # Alembic would find that no model has them
    url = dsn.replace("postgresql:", "postgresql+psycopg:").replace("%", "%%")
    versions = tmp_path / "versions"
    versions.mkdir()
    (tmp_path / "alembic.ini").write_text(f"[alembic]\nscript_location = .\nsqlalchemy.url = {url}\n")
    (tmp_path / "env.py").write_text(ALEMBIC)
    (tmp_path / "models.py").write_text(MODELS)
    (versions / "0001.py").write_text(REVISION)
    shell(f"export PYTHONPATH=.\n{MIGRATE_BOTH}", environment, tmp_path)
    assert "No new upgrade operations" in shell("PYTHONPATH=. alembic check", environment, tmp_path)
    await holds(dsn, host, "products", tmp_path, imaging_engine)
    shell("PYTHONPATH=. alembic downgrade base", environment, tmp_path)
    assert await host.fetchval("SELECT count(*) FROM imagegallery.images") == 0


MANAGE = """
import os, sys, types
from django.conf import settings
from django.core.management import execute_from_command_line
from psycopg.conninfo import conninfo_to_dict

given = conninfo_to_dict(os.environ["IMAGEGALLERY_DATABASE_DSN"])
options = {"sslmode": given["sslmode"]}
database = {"NAME": given["dbname"], "USER": given["user"], "HOST": given["host"], "PORT": given["port"]}
settings.configure(
    INSTALLED_APPS=["shop"],
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "OPTIONS": options, **database}},
)
execute_from_command_line(sys.argv)
"""
DJANGO_MODELS = """
from django.db import models

class Product(models.Model):
    id = models.BigAutoField(primary_key=True)
    photo_id = models.UUIDField(null=True, db_index=True)
"""


async def test_with_django(
    dsn: str, host: Connection, environment: Mapping[str, str], tmp_path: Path, imaging_engine: SharedEngine
) -> None:
    folder = tmp_path / "shop" / "migrations"
    folder.mkdir(parents=True)
    for path in (folder, folder.parent):
        (path / "__init__.py").touch()
    (folder.parent / "models.py").write_text(DJANGO_MODELS)
    (folder / "0001_initial.py").write_text(DJANGO)
    (tmp_path / "manage.py").write_text(MANAGE)
    shell("python manage.py migrate", environment, tmp_path)
    await holds(dsn, host, "shop_product", tmp_path, imaging_engine)
    shell("python manage.py migrate shop zero", environment, tmp_path)


async def holds(dsn: str, host: Connection, table: str, folder: Path, engine: SharedEngine) -> None:
    """A row has an image, and none when it is deleted for good."""
    image = await add_image(dsn, engine, folder / "data")
    await host.execute(f"INSERT INTO {table} (id, photo_id) VALUES (1, $1)", image.id)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await host.execute(f"INSERT INTO {table} (id, photo_id) VALUES (2, gen_random_uuid())")
    settings = Settings(data_dir=folder / "data", database=DatabaseOptions(dsn=dsn, schema="imagegallery"))
    async with ImageGallery.open(settings, engine=engine) as gallery:
        await gallery.images.delete(ME, image.id)
        await gallery.images.trash.purge(ME, image.id)
    assert await host.fetchval(f"SELECT photo_id FROM {table}") is None


async def test_a_role_with_the_rights_of_the_page_is_enough(
    dsn: str, host: Connection, environment: Mapping[str, str], tmp_path: Path, imaging_engine: SharedEngine
) -> None:
    shell("", environment, tmp_path)
    server = urlsplit(dsn)
    administrator = await asyncpg.connect(urlunsplit(server._replace(netloc=f"{SUPERUSER}@", path="/postgres")))
    try:
        with suppress(asyncpg.DuplicateObjectError):
            await administrator.execute("CREATE ROLE web")
        await administrator.execute("GRANT web TO imagegallery")
    finally:
        await administrator.close()
    await host.execute(GRANTS)
    await host.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    poor = f"{dsn}&options=-crole%3Dweb"
    settings = Settings(data_dir=tmp_path / "data", database=DatabaseOptions(dsn=poor, schema="imagegallery"))
    async with ImageGallery.open(settings, engine=imaging_engine) as gallery, gallery.eager():
        image = await gallery.uploads.add(ME, picture(90, 60), filename="tram.png")
        assert (await gallery.images.get(ME, image.id)).variants
        await gallery.images.delete(ME, image.id)
        await gallery.images.trash.purge(ME, image.id)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await host.execute("SET ROLE web; CREATE TABLE imagegallery.more (id integer)")


# --- dumped, restored, dropped ---------------------------------------------------------------------------------------


async def test_it_is_dumped_dropped_and_restored(
    dsn: str, host: Connection, environment: Mapping[str, str], tmp_path: Path, imaging_engine: SharedEngine
) -> None:
    image = await add_image(dsn, imaging_engine, tmp_path / "data")
    await host.execute(
        """CREATE TABLE products (photo_id uuid REFERENCES imagegallery.images (id) ON DELETE SET NULL);
        INSERT INTO products SELECT id FROM imagegallery.images"""
    )
    shell(DUMP, environment, tmp_path)
    await host.execute("DROP SCHEMA imagegallery CASCADE")
    assert await host.fetchval("SELECT photo_id FROM products") == image.id
    first, rest = MIGRATE.rsplit("imagegallery migrate", 1)
    assert rest == "\n"
    done = subprocess.run(
        ["bash", "-euc", first + RESTORE], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "up to date" in done.stdout
    assert "nothing wrong" in done.stdout
    assert await host.fetchval("SELECT id FROM imagegallery.images") == image.id
