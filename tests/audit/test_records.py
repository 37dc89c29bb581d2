"""Acts are kept with what they tell of, found by each thing, and never changed."""

from datetime import timedelta

import asyncpg
import pytest
from attrs import evolve
from tests.support.clock import ManualClock

from imagegallery.audit import records
from imagegallery.audit.entry import BY_OWNERSHIP, Act, Actor, ActorKind, AuditEntry, Origin, by_share
from imagegallery.audit.options import AuditOptions
from imagegallery.audit.origin import coming_from
from imagegallery.audit.service import AuditService
from imagegallery.database.pool import Database
from imagegallery.errors import Forbidden, InvalidCursor, InvalidInput, Unauthenticated
from imagegallery.ids import new_id
from imagegallery.principal import Principal, Role

ANA = Principal.user("ana")
BEN = Principal.user("ben")
ADMIN = Principal.user("root", role=Role.ADMIN)
KEPT = timedelta(days=30)


@pytest.fixture
def audit(database: Database, clock: ManualClock) -> AuditService:
    return AuditService(database, AuditOptions(retention=KEPT), clock)


def trashed(owner: Principal = ANA) -> AuditEntry:
    return AuditEntry(Act.IMAGE_TRASHED, Actor.of(owner), BY_OWNERSHIP, owner.require_user(), image_id=new_id())


def downloaded(by: Actor) -> AuditEntry:
    share_id = new_id()
    return AuditEntry(
        Act.ORIGINAL_DOWNLOADED,
        by,
        by_share(share_id),
        "ana",
        image_id=new_id(),
        share_id=share_id,
        details={"bytes": 3},
        once_an_hour=True,
    )


async def keep(database: Database, clock: ManualClock, *entries: AuditEntry) -> None:
    async with database.transaction() as connection:
        await records.record(connection, *entries, now=clock())


async def test_an_act_is_kept_as_it_was_with_its_origin(
    database: Database, audit: AuditService, clock: ManualClock
) -> None:
    entry, origin = downloaded(Actor(ActorKind.LINK, "a share")), Origin("203.0.113.0/24", "r-1", "curl/8")
    with coming_from(lambda: origin):
        await keep(database, clock, entry)
    (kept,) = (await audit.list(ANA, share_id=entry.share_id)).items
    assert (kept.happened_at, kept.origin) == (clock(), origin)
    assert kept.entry == entry


async def test_what_is_rolled_back_was_not_done(database: Database, audit: AuditService, clock: ManualClock) -> None:
    async def fail() -> None:
        async with database.transaction() as connection:
            await records.record(connection, trashed(), now=clock())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert (await audit.list(ANA)).items == ()


async def test_owners_find_what_was_done_to_their_things_alone(
    database: Database, audit: AuditService, clock: ManualClock
) -> None:
    mine, other = trashed(), trashed(BEN)
    await keep(database, clock, mine, other)
    assert [each.entry for each in (await audit.list(ANA)).items] == [mine]
    assert [each.entry for each in (await audit.list(ANA, image_id=mine.image_id)).items] == [mine]
    assert (await audit.list(ANA, image_id=other.image_id)).items == ()
    assert (await audit.list(ANA, gallery_id=mine.image_id)).items == ()
    with pytest.raises(Unauthenticated):
        await audit.list(Principal.anonymous())
    with pytest.raises(InvalidInput, match="gallery_id"):
        await audit.list(ANA, image_id=new_id(), gallery_id=new_id())


async def test_operators_find_by_all_that_is_given(database: Database, audit: AuditService, clock: ManualClock) -> None:
    mine, other = trashed(), trashed(BEN)
    await keep(database, clock, mine)
    clock.advance(timedelta(minutes=1))
    await keep(database, clock, other)
    assert [each.entry for each in (await audit.all(ADMIN)).items] == [other, mine]
    assert [each.entry for each in (await audit.all(ADMIN, actor_id="ben", act="image.trashed")).items] == [other]
    assert [each.entry for each in (await audit.all(ADMIN, until=clock())).items] == [mine]
    assert (await audit.all(ADMIN, owner_id="ana", since=clock())).items == ()
    with pytest.raises(Forbidden):
        await audit.all(ANA)
    with pytest.raises(InvalidInput, match="act"):
        await audit.all(ADMIN, act="image.eaten")


async def test_pages_go_on_where_the_last_one_ended(
    database: Database, audit: AuditService, clock: ManualClock
) -> None:
    entries = [trashed() for _ in range(5)]
    for each in entries:
        await keep(database, clock, each)
    first = await audit.list(ANA, limit=3)
    rest = await audit.list(ANA, limit=3, cursor=first.next_cursor)
    assert [each.entry for each in (*first.items, *rest.items)] == entries[::-1]
    assert not rest.has_more
    with pytest.raises(InvalidCursor):
        await audit.list(BEN, cursor=first.next_cursor)


async def test_looking_again_is_kept_once_an_hour(database: Database, audit: AuditService, clock: ManualClock) -> None:
    entry = downloaded(Actor.of(BEN))
    for _ in range(3):
        await keep(database, clock, entry, entry)
    assert len((await audit.list(ANA)).items) == 1
    clock.advance(timedelta(hours=1))
    await keep(database, clock, entry)
    assert len((await audit.list(ANA)).items) == 2


async def test_guests_who_come_and_go_fill_nothing(database: Database, audit: AuditService, clock: ManualClock) -> None:
    share_id, image_id = new_id(), new_id()
    for _ in range(3):
        guest = Actor.of(Principal.by_link(share_id, new_id()))
        await keep(database, clock, evolve(downloaded(guest), image_id=image_id, share_id=share_id))
    assert len((await audit.list(ANA)).items) == 1


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_entries SET act = 'image.restored'", "DELETE FROM audit_entries", "TRUNCATE audit_entries"],
)
async def test_nobody_changes_what_was_kept(
    database: Database, audit: AuditService, clock: ManualClock, statement: str
) -> None:
    await keep(database, clock, trashed())
    async with database.connection() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only added"):
            await connection.execute(statement)
    assert len((await audit.list(ANA)).items) == 1


async def test_leave_to_remove_is_none_to_change(database: Database, clock: ManualClock) -> None:
    await keep(database, clock, trashed())
    async with database.connection() as connection, connection.transaction():
        await connection.execute("SET LOCAL imagegallery.removes_audit = 'on'")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only added"):
            async with connection.transaction():
                await connection.execute("UPDATE audit_entries SET act = 'image.restored'")


async def test_what_is_past_its_retention_goes(database: Database, audit: AuditService, clock: ManualClock) -> None:
    await keep(database, clock, trashed())
    clock.advance(KEPT)
    young = trashed()
    await keep(database, clock, young)
    assert await audit.prune() == 0
    clock.advance(timedelta(seconds=1))
    assert await audit.prune() == 1
    assert [each.entry for each in (await audit.list(ANA)).items] == [young]


async def test_leave_to_remove_ends_with_its_transaction(database: Database, clock: ManualClock) -> None:
    await keep(database, clock, trashed())
    async with database.connection() as connection:
        async with connection.transaction():
            await records.prune(connection, clock(), 10)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM audit_entries")


async def test_an_erased_user_is_in_no_entry(database: Database, audit: AuditService, clock: ManualClock) -> None:
    by_ben, about_ben = downloaded(Actor.of(BEN)), evolve(trashed(), subject="ben", details={"to": "admin"})
    with coming_from(lambda: Origin("203.0.113.0/24", "r-1", "curl/8")):
        await keep(database, clock, trashed(BEN), by_ben, about_ben)
    async with database.transaction() as connection:
        assert await records.erase(connection, "ben") == 1
    left = (await audit.all(ADMIN)).items
    assert sorted((each.entry for each in left), key=lambda entry: entry.act) == [
        evolve(by_ben, actor=Actor(ActorKind.USER)),
        evolve(about_ben, subject=None),
    ]
    assert "ben" not in str(left)
    assert {each.origin for each in left} == {Origin()}
