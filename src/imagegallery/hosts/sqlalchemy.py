"""Rows with a picture in SQLAlchemy, of asynchronous and other sessions. Needs the extra ``sqlalchemy``.

class Item(Base):
    photo: Mapped[UUID | None] = picture_column(owner="seller_id")

sessions = async_sessionmaker(engine)
follow(sessions, gallery)

A row that is deleted, or gets another picture, puts its picture into the trash: in the same transaction, if the gallery
is in the same database and the driver is asyncpg or psycopg 3, else after the commit. What SQL does by itself
(``delete(Item)``, ``ON DELETE CASCADE``) is not noticed.
"""

import logging
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import Column, Connection, ForeignKey, MetaData, Table, Uuid, event, select
from sqlalchemy.orm import MappedColumn, Mapper, Session, SessionTransaction, mapped_column, object_session
from sqlalchemy.orm.attributes import get_history
from sqlalchemy.util import await_only

from imagegallery.database.host.choice import HostConnection
from imagegallery.errors import ConfigurationError, ImageGalleryError, InvalidInput, NotFound
from imagegallery.gallery import ImageGallery, OpenGallery
from imagegallery.hosts.owner import Owner, owner_of
from imagegallery.principal import Principal
from imagegallery.sync.gallery import SyncGallery

AnyGallery = SyncGallery | ImageGallery | OpenGallery

_OWNER: Final = "imagegallery.owner"
_GALLERY: Final = "imagegallery.gallery"
_AFTER_COMMIT: Final = "imagegallery.after_commit"
_LEAVING: Final = "imagegallery.leaving"
_log = logging.getLogger(__name__)


class Sessions(Protocol):
    """`sessionmaker`, `async_sessionmaker` and `scoped_session`."""

    def configure(self, **options: Any) -> None: ...


def picture_column(*, owner: Owner = None, schema: str | None = None, **options: Any) -> MappedColumn[UUID | None]:
    """A column for the id of an image, ``NULL`` without one.

    Args:
        owner: Whose the picture is: the name of an attribute, or a function of the row (`imagegallery.hosts.owner`).
            Without it, it is the application's own, ``Principal.user("site")``.
        schema: The gallery's (``database.schema``), if it is in the same database: then an image that is deleted
            permanently empties the column, by ``ON DELETE SET NULL``.
        options: Those of `sqlalchemy.orm.mapped_column`.
    """
    reference = () if schema is None else (ForeignKey(_image_ids(schema), ondelete="SET NULL"),)
    info = {_OWNER: owner, **options.pop("info", {})}
    return mapped_column(Uuid(), *reference, **{"nullable": True, **options}, info=info)


def follow(sessions: Sessions, gallery: AnyGallery) -> None:
    """Have the pictures of rows follow them, in the sessions made from now on.

    Asynchronous sessions need an asynchronous gallery, which is open by then, others a `SyncGallery`.
    """
    made: dict[str, Any] = getattr(sessions, "kw", {})
    sessions.configure(info={**made.get("info", {}), _GALLERY: gallery})


def _image_ids(schema: str) -> Column[UUID]:
    """The column that ids refer to, of a table that is in no metadata of the application, which does not make it."""
    return Table("images", MetaData(), Column("id", Uuid(), primary_key=True), schema=schema).c.id


@cache
def _columns(mapper: Mapper[Any]) -> dict[str, Column[Any]]:
    """Those with pictures, by the names of their attributes."""
    found = ((each.key, each.columns[0]) for each in mapper.column_attrs)
    return {key: column for key, column in found if isinstance(column, Column) and _OWNER in column.info}


@event.listens_for(Mapper, "before_delete")
def _note_what_goes(mapper: Mapper[Any], _: Connection, row: Any) -> None:
    _note(row, ((key, getattr(row, key)) for key in _columns(mapper)), mapper)


@event.listens_for(Mapper, "before_update")
def _note_what_is_replaced(mapper: Mapper[Any], connection: Connection, row: Any) -> None:
    """What the database has, as an attribute that was set need not have been read before."""
    changed = [(key, column) for key, column in _columns(mapper).items() if get_history(row, key).added]
    if changed:
        ids = mapper.primary_key_from_instance(row)
        same = (column == value for column, value in zip(mapper.primary_key, ids, strict=True))
        was = connection.execute(select(*(column for _, column in changed)).where(*same)).one_or_none()
        replaced = ((key, old) for (key, _), old in zip(changed, was or (), strict=was is not None))
        _note(row, ((key, old) for key, old in replaced if old != getattr(row, key)), mapper)


def _note(row: Any, pictures: Iterator[tuple[str, UUID | None]], mapper: Mapper[Any]) -> None:
    columns = _columns(mapper)
    leaving = [(owner_of(row, columns[key].info[_OWNER]), old) for key, old in pictures if old is not None]
    row._sa_instance_state.info[_LEAVING] = leaving


@event.listens_for(Mapper, "after_delete")
@event.listens_for(Mapper, "after_update")
def _let_go(_: Mapper[Any], connection: Connection, row: Any) -> None:
    session = object_session(row)
    leaving = row._sa_instance_state.info.pop(_LEAVING, ())
    if session is not None and _GALLERY in session.info:
        for owner, image_id in leaving:
            _trash(session, connection, owner, image_id)


def _trash(session: Session, connection: Connection, owner: Principal, image_id: UUID) -> None:
    try:
        _put_away(session, owner, image_id, connection.connection.driver_connection)
    except (ConfigurationError, InvalidInput):  # another database, or a driver whose transactions cannot be shared
        within = session.get_nested_transaction() or session.get_transaction()
        session.info.setdefault(_AFTER_COMMIT, []).append((within, owner, image_id))


@event.listens_for(Session, "after_commit")
def _trash_what_waited(session: Session) -> None:
    if session.in_nested_transaction():
        return
    for _, owner, image_id in session.info.pop(_AFTER_COMMIT, ()):
        try:
            _put_away(session, owner, image_id)
        except ImageGalleryError:
            _log.exception("image %s, whose row is deleted, could not be put into the trash", image_id)


@event.listens_for(Session, "after_soft_rollback")
def _forget_what_waited(session: Session, ended: SessionTransaction) -> None:
    waiting = session.info.get(_AFTER_COMMIT, [])
    waiting[:] = [each for each in waiting if not _is_within(each[0], ended)]


def _is_within(transaction: SessionTransaction | None, other: SessionTransaction) -> bool:
    while transaction is not None and transaction is not other:
        transaction = transaction.parent
    return transaction is not None


def _put_away(session: Session, owner: Principal, image_id: UUID, host: HostConnection | None = None) -> None:
    gallery: AnyGallery = session.info[_GALLERY]
    with suppress(NotFound):  # it is there already
        if isinstance(gallery, SyncGallery):
            gallery.images.delete(owner, image_id, connection=host)
        else:
            opened = gallery.gallery if isinstance(gallery, OpenGallery) else gallery
            await_only(opened.images.delete(owner, image_id, connection=host))
