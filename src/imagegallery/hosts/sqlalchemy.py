"""Rows with a picture in SQLAlchemy, of asynchronous and other sessions. Needs the extra ``sqlalchemy``.

class Item(Base):
    photo: Mapped[UUID | None] = picture_column(owner="seller_id")

sessions = async_sessionmaker(engine)
follow(sessions, gallery)

A row that gets a picture claims it (`UploadService.claim`): it must be its owner's. One that is deleted, or gets
another, puts its picture into the trash. Both happen in the row's transaction, if the gallery is in the same database
and the driver is asyncpg or psycopg 3, else after the commit. What SQL does by itself (``delete(Item)``, ``ON DELETE
CASCADE``) is not noticed.
"""

import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any, Final, Protocol
from uuid import UUID

from attrs import frozen
from sqlalchemy import Column, Connection, ForeignKey, MetaData, Table, Uuid, event, select
from sqlalchemy.orm import MappedColumn, Mapper, Session, SessionTransaction, mapped_column, object_session
from sqlalchemy.orm.attributes import get_history
from sqlalchemy.util import await_only

from imagegallery.database.host.choice import HostConnection
from imagegallery.errors import AlreadyUsed, ConfigurationError, ImageGalleryError, InvalidInput, NotFound
from imagegallery.gallery import ImageGallery, OpenGallery
from imagegallery.hosts.owner import Owner, owner_of
from imagegallery.principal import Principal
from imagegallery.sync.gallery import SyncGallery

AnyGallery = SyncGallery | ImageGallery | OpenGallery

_OWNER: Final = "imagegallery.owner"
_GALLERY: Final = "imagegallery.gallery"
_AFTER_COMMIT: Final = "imagegallery.after_commit"
_HAD: Final = "imagegallery.had"
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
    made: dict[str, Any] = getattr(getattr(sessions, "session_factory", sessions), "kw", {})
    sessions.configure(info={**made.get("info", {}), _GALLERY: gallery})


def _image_ids(schema: str) -> Column[UUID]:
    """The column that ids refer to, of a table that is in no metadata of the application, which does not make it."""
    return Table("images", MetaData(), Column("id", Uuid(), primary_key=True), schema=schema).c.id


class _Does(Protocol):
    def __call__(self, gallery: AnyGallery, owner: Principal, image_id: UUID, host: HostConnection | None) -> None: ...


@frozen
class _Change:
    """What becomes of an image by a change of a row."""

    does: _Does
    owner: Principal
    image_id: UUID

    def make(self, session: Session, host: HostConnection | None) -> None:
        self.does(session.info[_GALLERY], self.owner, self.image_id, host)


@cache
def _columns(mapper: Mapper[Any]) -> dict[str, Column[Any]]:
    """Those with pictures, by the names of their attributes."""
    found = ((each.key, each.columns[0]) for each in mapper.column_attrs)
    return {key: column for key, column in found if isinstance(column, Column) and _OWNER in column.info}


@event.listens_for(Mapper, "before_delete")
def _note_what_goes(mapper: Mapper[Any], _: Connection, row: Any) -> None:
    _note(row, {column: getattr(row, key) for key, column in _columns(mapper).items()})


@event.listens_for(Mapper, "before_update")
def _note_what_is_replaced(mapper: Mapper[Any], connection: Connection, row: Any) -> None:
    """What the database has is read from there, as an attribute that was set need not have been read before."""
    set_now = [column for key, column in _columns(mapper).items() if get_history(row, key).added]
    if set_now:
        ids = mapper.primary_key_from_instance(row)
        same = [column == value for column, value in zip(mapper.primary_key, ids, strict=True)]
        for found in connection.execute(select(*set_now).where(*same)):
            _note(row, dict(zip(set_now, found, strict=True)))


def _note(row: Any, had: Mapping[Column[Any], UUID | None]) -> None:
    """What the row had, and whose that was, which cannot be asked of a row that is deleted."""
    row._sa_instance_state.info[_HAD] = {
        column: (owner_of(row, column.info[_OWNER]), image_id) if image_id is not None else None
        for column, image_id in had.items()
    }


@event.listens_for(Mapper, "after_insert")
def _claim_what_came(mapper: Mapper[Any], connection: Connection, row: Any) -> None:
    _make(_claims(mapper, row, _columns(mapper).values()), connection, row)


@event.listens_for(Mapper, "after_update")
def _claim_and_let_go(mapper: Mapper[Any], connection: Connection, row: Any) -> None:
    had = row._sa_instance_state.info.pop(_HAD, {})
    claims = {claim.image_id: claim for claim in _claims(mapper, row, had)}
    gone = {each[1]: _Change(_put_away, *each) for each in had.values() if each is not None}
    _make([change for image_id, change in claims.items() if image_id not in gone], connection, row)
    _make([change for image_id, change in gone.items() if image_id not in claims], connection, row)


@event.listens_for(Mapper, "after_delete")
def _let_go(_: Mapper[Any], connection: Connection, row: Any) -> None:
    had = row._sa_instance_state.info.pop(_HAD, {})
    _make([_Change(_put_away, *each) for each in had.values() if each is not None], connection, row)


def _claims(mapper: Mapper[Any], row: Any, columns: Iterable[Column[Any]]) -> list["_Change"]:
    values = [(column, getattr(row, mapper.get_property_by_column(column).key)) for column in columns]
    return [
        _Change(_claim, owner_of(row, column.info[_OWNER]), image_id)
        for column, image_id in values
        if image_id is not None
    ]


def _make(changes: Iterable["_Change"], connection: Connection, row: Any) -> None:
    """In the row's transaction, or if that cannot be shared, after it."""
    session = object_session(row)
    if session is None or _GALLERY not in session.info:
        return
    for change in changes:
        try:
            change.make(session, connection.connection.driver_connection)
        except (ConfigurationError, InvalidInput):  # another database, or a driver that we do not know
            within = session.get_nested_transaction() or session.get_transaction()
            session.info.setdefault(_AFTER_COMMIT, []).append((within, change))


@event.listens_for(Session, "after_commit")
def _make_what_waited(session: Session) -> None:
    if session.in_nested_transaction():
        return
    for _, change in session.info.pop(_AFTER_COMMIT, ()):
        try:
            change.make(session, None)
        except ImageGalleryError:
            _log.exception("image %s could not follow its row, which is committed", change.image_id)


@event.listens_for(Session, "after_soft_rollback")
def _forget_what_waited(session: Session, ended: SessionTransaction) -> None:
    waiting = session.info.get(_AFTER_COMMIT, [])
    waiting[:] = [each for each in waiting if not _is_within(each[0], ended)]


def _is_within(transaction: SessionTransaction | None, other: SessionTransaction) -> bool:
    while transaction is not None and transaction is not other:
        transaction = transaction.parent
    return transaction is not None


def _claim(gallery: AnyGallery, owner: Principal, image_id: UUID, host: HostConnection | None) -> None:
    with suppress(AlreadyUsed):  # as one that was attached in this transaction
        if isinstance(gallery, SyncGallery):
            gallery.uploads.claim(owner, image_id, connection=host)
        else:
            await_only(_opened(gallery).uploads.claim(owner, image_id, connection=host))


def _put_away(gallery: AnyGallery, owner: Principal, image_id: UUID, host: HostConnection | None) -> None:
    with suppress(NotFound):  # it is there already
        if isinstance(gallery, SyncGallery):
            gallery.images.delete(owner, image_id, connection=host)
        else:
            await_only(_opened(gallery).images.delete(owner, image_id, connection=host))


def _opened(gallery: ImageGallery | OpenGallery) -> ImageGallery:
    return gallery.gallery if isinstance(gallery, OpenGallery) else gallery
