"""Rows with a picture, on a real database and a real gallery in it: of asynchronous sessions and of others."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import attrs
import pytest
from sqlalchemy import ForeignKey, Uuid, create_engine, delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, scoped_session, sessionmaker
from sqlalchemy.schema import CreateTable
from tests.support.shared_engine import SharedEngine
from tests.support.studio import picture as jpeg

from imagegallery import ImageGallery, NotFound, Principal, Settings
from imagegallery.database.options import DatabaseOptions
from imagegallery.hosts.sqlalchemy import follow, picture_column
from imagegallery.sync import SyncGallery, open_gallery

ANA, BEN, SITE = Principal.user("ana"), Principal.user("ben"), Principal.user("site")


class Base(DeclarativeBase):
    pass


class Shelf(Base):
    __tablename__ = "shelves"
    id: Mapped[int] = mapped_column(primary_key=True)
    items: Mapped[list["Item"]] = relationship(cascade="all, delete-orphan")


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    shelf_id: Mapped[int | None] = mapped_column(ForeignKey("shelves.id"))
    seller: Mapped[str] = mapped_column(default="ana")
    photo: Mapped[UUID | None] = picture_column(owner="seller", schema="public")
    drawing: Mapped[UUID | None] = picture_column()


def address(dsn: str, driver: str) -> str:
    """What SQLAlchemy calls it, without what only some drivers know."""
    return dsn.replace("postgresql:", f"postgresql+{driver}:").replace("&sslmode=disable", "")


@pytest.fixture
def settings(database_dsn: str, tmp_path: Path) -> Settings:
    return attrs.evolve(Settings(data_dir=tmp_path / "data"), database=DatabaseOptions(dsn=database_dsn))


@pytest.fixture
async def gallery(settings: Settings, imaging_engine: SharedEngine) -> AsyncIterator[ImageGallery]:
    async with ImageGallery.open(settings, engine=imaging_engine) as gallery:
        yield gallery


@pytest.fixture
async def sessions(database_dsn: str, gallery: ImageGallery) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    engine = create_async_engine(address(database_dsn, "asyncpg"))
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    sessions = async_sessionmaker(engine)
    follow(sessions, gallery)
    yield sessions
    await engine.dispose()


async def is_there(gallery: ImageGallery, owner: Principal, image_id: UUID | None) -> bool:
    assert image_id is not None
    try:
        await gallery.images.get(owner, image_id)
    except NotFound:
        return False
    return True


async def add(gallery: ImageGallery, owner: Principal = ANA, width: int = 64) -> UUID:
    return (await gallery.uploads.add(owner, jpeg(width, 48))).id


async def test_a_row_that_is_deleted_takes_its_picture_along_in_its_transaction(
    gallery: ImageGallery, sessions: async_sessionmaker[AsyncSession]
) -> None:
    photo = await add(gallery)
    async with sessions() as session:
        item = Item(photo=photo)
        session.add(item)
        await session.commit()
        await session.delete(item)
        await session.flush()
        trashed = await session.scalar(text("SELECT deleted_at IS NOT NULL FROM images"))
        assert trashed is True
        assert await is_there(gallery, ANA, photo), "nobody else sees it before the commit"
        await session.commit()
    assert not await is_there(gallery, ANA, photo)


async def test_a_row_that_stays_after_all_keeps_it(
    gallery: ImageGallery, sessions: async_sessionmaker[AsyncSession]
) -> None:
    photo = await add(gallery)
    async with sessions() as session:
        item = Item(photo=photo)
        session.add(item)
        await session.commit()
        await session.delete(item)
        await session.flush()
        await session.rollback()
    assert await is_there(gallery, ANA, photo)


async def test_a_picture_that_is_replaced_goes_and_one_that_stays_does_not(
    gallery: ImageGallery, sessions: async_sessionmaker[AsyncSession]
) -> None:
    first, second, drawing = await add(gallery), await add(gallery, width=32), await add(gallery, SITE)
    async with sessions() as session:
        item = Item(photo=first, drawing=drawing)
        session.add(item)
        await session.commit()  # by which its attributes are read again only when they are asked for
        item.photo = second
        await session.commit()
        assert not await is_there(gallery, ANA, first)
        await session.refresh(item)
        item.photo, item.seller = second, "ana"
        await session.commit()
        assert await is_there(gallery, ANA, second)
        item.drawing = None
        await session.commit()
    assert not await is_there(gallery, SITE, drawing)
    assert await is_there(gallery, ANA, second)


async def test_rows_that_go_with_another_take_theirs_along(
    gallery: ImageGallery, sessions: async_sessionmaker[AsyncSession]
) -> None:
    photo, orphan = await add(gallery), await add(gallery, width=32)
    async with sessions() as session:
        shelf = Shelf(items=[Item(photo=photo), Item(photo=orphan)])
        session.add(shelf)
        await session.commit()
        await session.refresh(shelf, ["items"])
        shelf.items.pop()
        await session.commit()
        assert not await is_there(gallery, ANA, orphan)
        await session.refresh(shelf, ["items"])
        await session.delete(shelf)
        await session.commit()
    assert not await is_there(gallery, ANA, photo)


async def test_a_picture_is_claimed_for_its_row_and_is_its_owners(
    gallery: ImageGallery, sessions: async_sessionmaker[AsyncSession]
) -> None:
    photo, later, strangers = await add(gallery), await add(gallery, width=32), await add(gallery, BEN)
    async with sessions() as session:
        item = Item(photo=photo)
        session.add(item)
        await session.flush()
        assert len(await unattached(gallery)) == 2, "nobody else sees it before the commit"
        await session.commit()
        assert await unattached(gallery) == {later}
        item.photo = later
        await session.commit()
        assert await unattached(gallery) == set()
        session.add(Item(photo=strangers))
        with pytest.raises(NotFound):
            await session.commit()


async def unattached(gallery: ImageGallery) -> set[UUID]:
    return {each.id for each in (await gallery.images.unattached(ANA)).items}


async def test_a_picture_is_attached_in_the_transaction_of_its_row(
    gallery: ImageGallery, sessions: async_sessionmaker[AsyncSession]
) -> None:
    staged = await gallery.uploads.stage(ANA, jpeg(64, 48))
    async with sessions() as session:
        session.add(item := Item(photo=(await staged.attach(session)).id))
        await session.rollback()
        session.add(item := Item(photo=(await staged.attach(session)).id))
        await session.commit()
        await session.refresh(item)
        assert await is_there(gallery, ANA, item.photo)
    assert await unattached(gallery) == set()


async def test_an_image_that_is_deleted_permanently_leaves_the_row_without_one(
    gallery: ImageGallery, sessions: async_sessionmaker[AsyncSession]
) -> None:
    photo = await add(gallery)
    async with sessions() as session:
        session.add(Item(photo=photo))
        await session.commit()
        await gallery.images.delete(ANA, photo)
        await gallery.images.trash.purge(ANA, photo)
        assert await session.scalar(select(Item.photo)) is None


def test_the_column_is_one_that_migrations_can_write() -> None:
    made = str(CreateTable(Item.__table__))  # type: ignore[arg-type] # a Table, as it is declared
    assert "FOREIGN KEY(photo) REFERENCES public.images (id) ON DELETE SET NULL" in made
    assert isinstance(Item.__table__.c.photo.type, Uuid)
    assert Item.__table__.c.photo.nullable
    assert "images" not in Base.metadata.tables


@pytest.fixture
def waiting(settings: Settings, imaging_engine: SharedEngine) -> Iterator[SyncGallery]:
    with open_gallery(settings, engine=imaging_engine) as gallery:
        yield gallery


def there(gallery: SyncGallery, image_id: UUID) -> bool:
    return gallery.call(lambda opened: is_there(opened, SITE, image_id))


def test_sessions_that_wait_do_the_same(waiting: SyncGallery, database_dsn: str) -> None:
    engine = create_engine(address(database_dsn, "psycopg"))
    Base.metadata.create_all(engine)
    sessions = sessionmaker(engine, info={"of": "the application"})
    follow(sessions, waiting)
    drawing = waiting.uploads.add(SITE, jpeg(64, 48)).id
    with sessions() as session:
        assert session.info["of"] == "the application"
        item = Item(drawing=drawing)
        session.add(item)
        session.commit()
        session.delete(item)
        session.flush()
        assert there(waiting, drawing)
        session.rollback()
        assert there(waiting, drawing)
        session.delete(item)
        session.commit()
    assert not there(waiting, drawing)
    engine.dispose()


class Notes(DeclarativeBase):
    pass


class Note(Notes):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    drawing: Mapped[UUID | None] = picture_column()


def test_in_another_database_they_go_after_the_commit(waiting: SyncGallery, caplog: pytest.LogCaptureFixture) -> None:
    engine = create_engine("sqlite://")
    Notes.metadata.create_all(engine)
    sessions = sessionmaker(engine)
    follow(sessions, waiting)
    drawing, other = waiting.uploads.add(SITE, jpeg(64, 48)).id, waiting.uploads.add(SITE, jpeg(32, 48)).id
    with sessions() as session:
        notes = [Note(drawing=drawing), Note(drawing=other)]
        session.add_all(notes)
        session.commit()
        with session.begin_nested() as savepoint:
            session.delete(notes[1])
            session.flush()
            savepoint.rollback()
        with session.begin_nested():
            session.delete(notes[0])
        assert there(waiting, drawing)
        session.commit()
        assert not there(waiting, drawing)
        assert there(waiting, other)
        notes[1].drawing = None
        session.commit()
        assert not there(waiting, other)
        assert caplog.messages == []
        notes[1].drawing = unknown = uuid4()
        session.commit()
    assert caplog.messages == [f"image {unknown} could not follow its row, which is committed"]
    engine.dispose()


def test_the_sessions_of_threads_keep_what_the_application_notes_in_them(waiting: SyncGallery) -> None:
    """As those of Flask-SQLAlchemy."""
    sessions = scoped_session(sessionmaker(create_engine("sqlite://"), info={"of": "the application"}))
    follow(sessions, waiting)
    assert sessions.info["of"] == "the application"
    assert waiting in sessions.info.values()
    sessions.remove()


def test_sessions_that_follow_no_gallery_are_left_alone(waiting: SyncGallery) -> None:
    engine = create_engine("sqlite://")
    Notes.metadata.create_all(engine)
    drawing = waiting.uploads.add(SITE, jpeg(64, 48)).id
    with Session(engine) as session:
        note = Note(drawing=drawing)
        session.add(note)
        session.commit()
        session.delete(note)
        session.commit()
        session.execute(delete(Note))
    assert there(waiting, drawing)
    engine.dispose()
