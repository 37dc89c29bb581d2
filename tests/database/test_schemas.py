"""A gallery in a schema of its own, in the database of an application or beside another gallery."""

import io
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import anyio
import asyncpg
import pytest
from PIL import Image as Pillow
from tests.support.database import DatabaseServer
from tests.support.shared_engine import SharedEngine

import imagegallery
from imagegallery import ImageGallery, Principal, Settings
from imagegallery.backends import _apart
from imagegallery.cache.generations import CHANNEL, library_group
from imagegallery.clock import utc_now
from imagegallery.database.connection import Connection
from imagegallery.database.migrate import LOCK, TAKE_LOCK, migrate, packaged_migrations, pending
from imagegallery.database.namespace import SEED
from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.errors import ConfigurationError
from imagegallery.images.image import original_records
from imagegallery.queue import records as queue_records
from imagegallery.queue.job import NewJob
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.redis.options import RedisOptions

ME = Principal.user("ada")
LONG = timedelta(seconds=30)
AT_ONCE = timedelta(seconds=0)
SOURCES = Path(imagegallery.__file__).parent

# What a host may have: names that ours have, too, and a library's own table of migrations.
HOST = """
CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL);
INSERT INTO schema_migrations VALUES (7, false);
CREATE TABLE images (name text);
CREATE TABLE events (name text);
CREATE TABLE jobs (name text);
CREATE TABLE gallery_images (name text);
"""
TABLES = """
SELECT schemaname || '.' || tablename AS name FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"""


@pytest.fixture
async def dsn(database_server: DatabaseServer) -> AsyncIterator[str]:
    async with database_server.empty() as dsn:
        yield dsn


@pytest.fixture
async def host(dsn: str) -> AsyncIterator[Connection]:
    """A connection of the application's, whose search path is the server's."""
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.mark.parametrize("search_path", ["public", "nowhere", "public, imagegallery"])
async def test_an_application_with_tables_of_the_same_names_shares_its_transaction(
    dsn: str, host: Connection, tmp_path: Path, imaging_engine: SharedEngine, search_path: str
) -> None:
    await host.execute(HOST)
    await host.execute("CREATE TABLE items (name text, image_id uuid)")
    settings = Settings(data_dir=tmp_path, database=options(dsn))
    data = io.BytesIO()
    Pillow.new("RGB", (40, 30)).save(data, "PNG")
    async with ImageGallery.open(settings, engine=imaging_engine) as gallery, gallery.worker():
        staged = await gallery.uploads.stage(ME, data.getvalue())
        await host.execute(f"SET search_path = {search_path}")
        async with host.transaction():
            lot = await gallery.galleries.create(ME, name="Bike", connection=host)
            image = await staged.attach(host, gallery_id=lot.id)
            await host.execute("INSERT INTO public.items VALUES ('Bike', $1)", image.id)
            assert await host.fetchval("SHOW search_path") == search_path
        assert (await gallery.images.wait_until_ready(ME, image.id)).variants
        assert (await gallery.galleries.get(ME, lot.id)).image_count == 1
    await host.execute("SET search_path = public")
    assert [await host.fetchval(f"SELECT count(*) FROM {name}") for name in ("images", "events", "jobs")] == [0, 0, 0]


async def tables(host: Connection) -> set[str]:
    return {row["name"] for row in await host.fetch(TABLES)}


def options(dsn: str, schema: str | None = "imagegallery") -> DatabaseOptions:
    return DatabaseOptions(dsn=dsn, schema=schema, max_size=3)


@pytest.fixture
async def one(dsn: str) -> AsyncIterator[Database]:
    async with Database.connect(options(dsn, "one")) as database:
        await migrate(database)
        yield database


@pytest.fixture
async def other(dsn: str) -> AsyncIterator[Database]:
    async with Database.connect(options(dsn, "other")) as database:
        await migrate(database)
        yield database


# --- beside the tables of an application -----------------------------------------------------------------------------


async def test_a_schema_is_made_beside_what_the_application_has(dsn: str, host: Connection) -> None:
    await host.execute(HOST)
    theirs = await tables(host)
    async with Database.connect(options(dsn)) as database:
        names = await pending(database)
        assert names == [each.name for each in await anyio.to_thread.run_sync(packaged_migrations)]
        assert await tables(host) == theirs
        assert await migrate(database) == names
        assert await pending(database) == await migrate(database) == []
    ours = await tables(host) - theirs
    assert {"imagegallery.images", "imagegallery.schema_migrations"} <= ours
    assert all(name.startswith("imagegallery.") for name in ours)
    assert await host.fetchval("SELECT version FROM public.schema_migrations") == 7


@pytest.mark.parametrize("check", [migrate, pending])
async def test_a_foreign_table_of_migrations_is_named_and_nothing_is_changed(
    dsn: str, host: Connection, check: object
) -> None:
    await host.execute(HOST)
    theirs = await tables(host)
    async with Database.connect(options(dsn, None)) as database:
        with pytest.raises(ConfigurationError) as caught:
            await (migrate if check is migrate else pending)(database)
    assert caught.value.message == (
        "The table public.schema_migrations is another program's: its columns are version, dirty. Nothing was changed."
        " Give this gallery a schema of its own: set database.schema, to imagegallery for example."
    )
    assert await tables(host) == theirs


async def test_another_table_of_a_name_of_ours_leads_to_the_same_setting(dsn: str, host: Connection) -> None:
    await host.execute("CREATE TABLE images (name text)")
    async with Database.connect(options(dsn, None)) as database:
        with pytest.raises(ConfigurationError, match=r'"images" already exists.*set database\.schema'):
            await migrate(database)


async def test_the_application_may_write_to_our_tables_with_its_own_search_path(
    one: Database, host: Connection
) -> None:
    """Its tables of the same names are not taken for ours, and who keeps pages is told."""
    await host.execute(HOST)
    async with one.session() as listener:
        told: list[object] = []
        await listener.add_listener(one.namespace.own(CHANNEL), lambda *arguments: told.append(arguments[3]))
        await host.execute(
            """
            INSERT INTO one.owners (owner_id) VALUES ('ada');
            INSERT INTO one.galleries (id, owner_id, name, visibility, created_at, updated_at)
            VALUES ('00000000-0000-7000-8000-000000000001', 'ada', 'Lisbon', 'private', now(), now());
            UPDATE one.images SET filename = filename;
            DELETE FROM one.image_variants;
            """
        )
        await listener.execute("SELECT 1")
    assert told == ["00000000-0000-7000-8000-000000000001", library_group("ada")]


# --- two galleries in one database -----------------------------------------------------------------------------------


async def test_two_galleries_in_one_database_know_nothing_of_each_other(
    dsn: str, tmp_path: Path, imaging_engine: SharedEngine, host: Connection
) -> None:
    await host.execute(HOST)
    photo = tmp_path / "tram.jpg"
    Pillow.new("RGB", (90, 60), (200, 60, 20)).save(photo)
    for name in ("blog", "shop"):
        settings = Settings(data_dir=tmp_path / name, database=options(dsn, name))
        async with ImageGallery.open(settings, engine=imaging_engine) as gallery, gallery.worker():
            image = await gallery.uploads.add(ME, photo)
            await gallery.images.wait_until_ready(ME, image.id)
    for name in ("blog", "shop"):
        assert await host.fetchval(f"SELECT count(*) FROM {name}.images") == 1
    assert await host.fetchval("SELECT count(*) FROM public.images") == 0


async def test_neither_hears_of_the_jobs_of_the_other(one: Database, other: Database) -> None:
    async with one.listen(queue_records.CHANNEL) as ours, other.listen(queue_records.CHANNEL) as theirs:
        async with one.transaction() as connection:
            await PostgresQueue(one, utc_now).enqueue(connection, NewJob("work", {}), now=utc_now())
        assert await ours.wait(LONG)
        # By now it would have been heard.
        async with other.transaction() as connection:
            await connection.execute("SELECT pg_notify($1, '')", "nobody listens")
        assert not await theirs.wait(AT_ONCE)


async def test_neither_waits_for_a_lock_of_the_other(one: Database, other: Database) -> None:
    with anyio.fail_after(LONG.total_seconds()):
        async with one.locks.hold("upload", patience=LONG) as ours, other.locks.hold("upload", patience=LONG):
            assert not ours.asked.is_set()
        async with one.transaction() as ours_open, other.transaction() as theirs_open:
            for connection in (ours_open, theirs_open):
                await original_records.hold_content(connection, "ada", 7)


async def test_one_is_migrated_while_the_other_is(dsn: str, one: Database) -> None:
    async with one.transaction() as connection:
        await connection.execute(TAKE_LOCK, LOCK, one.namespace.suffix)
        async with Database.connect(options(dsn, "third")) as database:
            with anyio.fail_after(LONG.total_seconds()):
                assert await migrate(database)


async def test_two_hosts_with_one_schema_have_one_gallery(dsn: str, one: Database) -> None:
    async with Database.connect(options(dsn, "one")) as same:
        assert await migrate(same) == []
        assert same.namespace == one.namespace
        async with same.listen(queue_records.CHANNEL) as heard:
            async with one.transaction() as connection:
                await PostgresQueue(one, utc_now).enqueue(connection, NewJob("work", {}), now=utc_now())
            assert await heard.wait(LONG)


async def test_the_schema_of_a_role_is_a_gallerys_name_too(dsn: str, one: Database) -> None:
    """It was reached by the role's search path, or that of the address, before there was a setting."""
    async with Database.connect(options(f"{dsn}&options=-csearch_path%3Done", None)) as same:
        assert await migrate(same) == []
        assert same.namespace == one.namespace


async def test_who_leaves_a_gallery_for_a_new_schema_is_told_how_to_return(
    dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As the role's name is that of the schema, the setting has to be named: without it the new one comes first."""
    async with Database.connect(options(dsn, None)) as database:
        await migrate(database)
    assert caplog.messages == []
    async with Database.connect(options(dsn)) as database:
        await migrate(database)
    assert [message for message in caplog.messages if "set database.schema" in message] == caplog.messages != []
    async with Database.connect(options(dsn, "public")) as database:
        assert await migrate(database) == []


async def test_without_a_schema_names_are_as_before(dsn: str) -> None:
    async with Database.connect(options(dsn, None)) as database:
        assert database.namespace.own(queue_records.CHANNEL) == queue_records.CHANNEL
        async with database.connection() as connection:
            assert await connection.fetchval(f"SELECT {SEED}") == 0


async def test_their_keys_in_redis_differ_and_stay_below_the_prefix(dsn: str, one: Database, other: Database) -> None:
    async with Database.connect(options(dsn, None)) as public:
        prefixes = [_apart(RedisOptions(prefix="pics"), database).prefix for database in (public, one, other)]
    assert prefixes == ["pics", "pics:one", "pics:other"]


# --- rights and names ------------------------------------------------------------------------------------------------


async def revoke(host: Connection, right: str, of: str) -> None:
    await host.execute(f"REVOKE {right} ON {of} FROM PUBLIC, CURRENT_USER, pg_database_owner")


async def database_of(host: Connection) -> str:
    return f"DATABASE {await host.fetchval('SELECT quote_ident(current_database())')}"


async def test_a_role_that_may_not_make_the_schema_is_told_what_to_ask_for(dsn: str, host: Connection) -> None:
    await revoke(host, "CREATE", await database_of(host))
    async with Database.connect(options(dsn)) as database:
        assert await pending(database)
        with pytest.raises(
            ConfigurationError, match=r"^The schema imagegallery cannot be made: permission denied.*CREATE SCHEMA"
        ):
            await migrate(database)


@pytest.mark.parametrize("right", ["CREATE", "USAGE"])
async def test_so_is_one_that_may_do_nothing_in_a_schema_that_is_there(dsn: str, host: Connection, right: str) -> None:
    await host.execute("CREATE SCHEMA imagegallery")
    await revoke(host, right, "SCHEMA imagegallery")
    async with Database.connect(options(dsn)) as database:
        with pytest.raises(ConfigurationError, match=r"^The table of migrations cannot be made: .*GRANT USAGE, CREATE"):
            await migrate(database)


async def test_a_role_that_may_make_nothing_works_with_what_was_made(dsn: str, one: Database, host: Connection) -> None:
    """As an application's does whose tables a deployment makes."""
    await revoke(host, "CREATE", "SCHEMA one")
    await revoke(host, "CREATE", await database_of(host))
    async with Database.connect(options(dsn, "one")) as database:
        assert await migrate(database) == []


@pytest.mark.parametrize(
    "schema", ["", "Images", "pg_images", "information_schema", "1st", "a-b", 'a"b', "é", "a" * 64, "a\n"]
)
def test_what_cannot_be_a_schema_is_refused(schema: str) -> None:
    with pytest.raises(ConfigurationError, match=r"database\.schema"):
        DatabaseOptions(schema=schema)


@pytest.mark.parametrize("schema", ["imagegallery", "_images", "a1", "user", "a" * 63])
async def test_any_other_name_is_quoted(dsn: str, schema: str) -> None:
    async with Database.connect(options(dsn, schema)) as database:
        await migrate(database)
        async with database.connection() as connection:
            assert await connection.fetchval("SELECT current_schema()") == schema


# --- what no schema holds --------------------------------------------------------------------------------------------


_IN_SQL = re.compile(r"pg_notify\(|advisory_xact_lock\(|^_LOCK = .*hashtext")


def test_every_channel_and_lock_in_sql_is_named_for_the_schema() -> None:
    places = {
        f"{path.relative_to(SOURCES)}:{number}": line
        for path in SOURCES.rglob("*records.py")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if _IN_SQL.search(line)
    }
    assert len(places) > 10
    assert [place for place, line in places.items() if not re.search(r"\{(SUFFIX|SEED|_LOCK)\}|\(key\)", line)] == []
