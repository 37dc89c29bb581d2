"""What shares grant, as it is read from the database: by what they reach a thing, for whom, and how long."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from asyncpg.connection import LoggedQuery
from tests.support import shares
from tests.support.clock import START, ManualClock
from tests.support.library import Library, make_image
from tests.support.shares import share

from imagegallery.access import records
from imagegallery.access.audience import Visibility
from imagegallery.access.decision import Facts
from imagegallery.access.grant import DownloadAllowed, Grant, MetadataShown
from imagegallery.access.permission import CONTRIBUTOR, VIEWER, Permission
from imagegallery.principal import Principal

ANA, BEN, CARLA = Principal.user("ana"), Principal.user("ben"), Principal.user("carla")
NOBODY = Principal.anonymous()
WORKER = Principal.user("wanda", emails=["Wanda@Example.org"], groups=["staff", "club"])


class Things:
    """A gallery of Ana's with an image, and the same again, not shared."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.database = library.database

    async def make(self) -> "Things":
        self.gallery, self.image = await self._one()
        self.other_gallery, self.other_image = await self._one()
        return self

    async def _one(self) -> tuple[UUID, UUID]:
        gallery = await self.library.galleries.create(ANA, name="Lisbon")
        return gallery.id, (await self.library.add_image(make_image(), gallery.id)).id

    async def on_galleries(self, principal: Principal) -> dict[UUID, tuple[Grant, ...]]:
        facts = {each: Facts("ana") for each in (self.gallery, self.other_gallery)}
        async with self.database.connection() as connection:
            found = await records.on_galleries(connection, principal, facts, now=self.library.clock())
        return {each: facts.grants for each, facts in found.items()}

    async def on_images(self, principal: Principal) -> dict[UUID, tuple[Grant, ...]]:
        facts = {each: Facts("ana") for each in (self.image, self.other_image)}
        async with self.database.connection() as connection:
            found = await records.on_images(connection, principal, facts, now=self.library.clock())
        return {each: facts.grants for each, facts in found.items()}


@pytest.fixture
async def things(library: Library) -> Things:
    return await Things(library).make()


async def test_a_shared_gallery_reaches_its_images(things: Things) -> None:
    share_id = await share(things.database, galleries=[things.gallery], to=["ben"])
    grant = Grant(share_id, VIEWER)
    assert await things.on_galleries(BEN) == {things.gallery: (grant,), things.other_gallery: ()}
    assert await things.on_images(BEN) == {things.image: (grant,), things.other_image: ()}
    for somebody_else in (ANA, CARLA, NOBODY, Principal.by_link(share_id), Principal.by_link(uuid4())):
        assert set((await things.on_galleries(somebody_else)).values()) == {()}
        assert set((await things.on_images(somebody_else)).values()) == {()}


async def test_a_shared_image_reaches_no_gallery(things: Things) -> None:
    share_id = await share(things.database, images=[things.image], to=["ben"])
    assert set((await things.on_galleries(BEN)).values()) == {()}
    assert await things.on_images(BEN) == {things.image: (Grant(share_id, VIEWER),), things.other_image: ()}


async def test_a_shared_library_reaches_images_from_its_start_on_and_no_gallery(things: Things) -> None:
    share_id = await share(things.database, library=True, to=["ben"])
    grant = Grant(share_id, VIEWER)
    assert await things.on_images(BEN) == {things.image: (grant,), things.other_image: (grant,)}
    assert set((await things.on_galleries(BEN)).values()) == {()}

    await shares.change(things.database, share_id, starts_at=START)
    assert await things.on_images(BEN) == {things.image: (grant,), things.other_image: (grant,)}
    await shares.change(things.database, share_id, starts_at=START + timedelta(microseconds=1))
    assert set((await things.on_images(BEN)).values()) == {()}

    await share(things.database, library=True, to=["carla"], owner_id="dora")
    assert set((await things.on_images(CARLA)).values()) == {()}, "another's library"


async def test_who_came_by_a_link_has_what_that_share_says_and_nothing_of_others(things: Things) -> None:
    one = await share(things.database, galleries=[things.gallery], link=True)
    await share(things.database, galleries=[things.gallery], link=True, permissions=CONTRIBUTOR)
    await shares.add_recipient(things.database, one, "ben", CONTRIBUTOR)
    link = Principal.by_link(one)
    assert await things.on_galleries(link) == {things.gallery: (Grant(one, VIEWER),), things.other_gallery: ()}
    assert await things.on_images(link) == {things.image: (Grant(one, VIEWER),), things.other_image: ()}

    await shares.change(things.database, one, token_hash=None)
    assert set((await things.on_galleries(link)).values()) == {()}, "its link was taken back"
    assert (await things.on_galleries(BEN))[things.gallery] == (Grant(one, CONTRIBUTOR),)


async def test_recipients_are_users_verified_addresses_and_groups(things: Things) -> None:
    by_email = await share(things.database, galleries=[things.gallery], to=["email:wanda@example.org"])
    by_group = await share(things.database, galleries=[things.gallery], to=["group:staff", "group:club"])
    by_id = await share(things.database, galleries=[things.gallery], to=["wanda"])
    reached = (await things.on_galleries(WORKER))[things.gallery]
    assert {each.share_id for each in reached} == {by_email, by_group, by_id}
    assert len(reached) == 3, "two groups of one share that says the same are one grant"
    for other in (Principal.user("wanda@example.org"), Principal.user("staff"), Principal.user("x", groups=["wanda"])):
        assert (await things.on_galleries(other))[things.gallery] == ()


async def test_what_is_said_of_a_recipient_holds_in_place_of_what_the_share_says(things: Things) -> None:
    share_id = await share(things.database, galleries=[things.gallery], metadata=MetadataShown.ALL)
    await shares.add_recipient(things.database, share_id, "ben", Permission.VIEW, MetadataShown.NONE)
    await shares.add_recipient(things.database, share_id, "carla", download=DownloadAllowed.ORIGINAL)
    assert (await things.on_galleries(BEN))[things.gallery] == (Grant(share_id, Permission.VIEW, MetadataShown.NONE),)
    assert (await things.on_images(CARLA))[things.image] == (
        Grant(share_id, VIEWER, MetadataShown.ALL, DownloadAllowed.ORIGINAL),
    )


@pytest.mark.parametrize("by", ["ben", "link"])
async def test_what_is_over_grants_nothing(things: Things, clock: ManualClock, by: str) -> None:
    ends = START + timedelta(hours=1)
    share_id = await share(things.database, galleries=[things.gallery], to=["ben"], link=True, expires_at=ends)
    principal = BEN if by == "ben" else Principal.by_link(share_id)
    grant = Grant(share_id, VIEWER, expires_at=ends)
    assert (await things.on_galleries(principal))[things.gallery] == (grant,)
    clock.advance(timedelta(hours=1))
    assert (await things.on_galleries(principal))[things.gallery] == ()
    await shares.change(things.database, share_id, expires_at=None)
    assert (await things.on_images(principal))[things.image] == (Grant(share_id, VIEWER),)
    await shares.change(things.database, share_id, revoked_at=START)
    assert (await things.on_galleries(principal))[things.gallery] == ()
    assert (await things.on_images(principal))[things.image] == ()


async def test_it_is_one_statement_and_none_where_nothing_could_be_gained(things: Things) -> None:
    statements: list[LoggedQuery] = []
    many = {each: Facts("ana") for each in (things.image, things.other_image, uuid4())}
    async with things.database.connection() as connection:
        await records.on_images(connection, BEN, many, now=START)  # its types are known then
        with connection.query_logger(statements.append):
            await records.on_images(connection, BEN, many, now=START)
            for principal, facts in [
                (ANA, Facts("ana")),
                (NOBODY, Facts("ana")),
                (BEN, Facts("ana", Visibility.PUBLIC, is_shared=False)),
            ]:
                await records.on_images(connection, principal, {things.image: facts}, now=START)
        await connection.fetchval("SELECT 1")
    ours = [each.query for each in statements if "share_targets" in each.query]
    assert len(ours) == 1


async def test_what_may_not_be_there_takes_as_long_as_what_is_not(things: Things) -> None:
    statements: list[LoggedQuery] = []
    for facts in (None, Facts("ana"), Facts("ana", is_shared=False), Facts("ana", is_trashed=True)):
        async with things.database.connection() as connection:
            with connection.query_logger(statements.append):
                await records.on_images(connection, BEN, {things.image: facts}, now=START)
            await connection.fetchval("SELECT 1")
    assert len([each for each in statements if "share_targets" in each.query]) == 4


async def test_the_facts_say_whether_a_gallery_is_shared_at_all(things: Things) -> None:
    await share(things.database, galleries=[things.gallery])
    async with things.database.connection() as connection:
        facts = [await records.of_gallery(connection, each) for each in (things.gallery, things.other_gallery)]
        assert await records.of_gallery(connection, uuid4()) is None
    assert [each and each.is_shared for each in facts] == [True, False]
    assert facts[0] == Facts("ana", Visibility.PRIVATE)
