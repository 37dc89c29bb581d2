"""Making shares, opening their links, and ending both."""

from datetime import timedelta

import anyio
import pytest
from attrs import evolve
from tests.support.clock import ManualClock
from tests.support.library import Library, make_image
from tests.support.trace import counted

from imagegallery.access.authority import Authority
from imagegallery.access.grant import DownloadAllowed, MetadataShown
from imagegallery.access.options import SharingOptions
from imagegallery.access.permission import Permission
from imagegallery.database.pool import Database
from imagegallery.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    LinkMoved,
    NotFound,
    PasswordRequired,
    RateLimited,
    ShareEnded,
    Unauthenticated,
    VisitRequired,
    WrongPassword,
)
from imagegallery.galleries.gallery import Gallery
from imagegallery.ids import new_id
from imagegallery.principal import Principal
from imagegallery.rates.limiter import UNLIMITED
from imagegallery.sharing.service import ShareService
from imagegallery.sharing.share import LIBRARY, RecipientKind, ShareRecipient, ShareTarget

_ROWS = "SELECT shares::text AS row FROM shares UNION ALL SELECT events::text FROM events"
ANA, BEN = Principal.user("ana"), Principal.user("ben")


@pytest.fixture
async def lisbon(library: Library) -> Gallery:
    return await library.galleries.create(ANA, name="Lisbon")


def paths(error: InvalidInput) -> set[str]:
    return {".".join(fault.path) for fault in error.faults}


async def test_a_link_is_told_once_and_opens_as_a_principal_of_its_own(shares: ShareService, lisbon: Gallery) -> None:
    created = await shares.create_link(ANA, [lisbon.id], permissions=Permission.VIEW, expires_in=timedelta(days=7))
    assert created.token is not None
    assert len(created.token) * 6 >= 128
    assert created.token not in repr(created)
    assert await shares.get(ANA, created.share.id) == created.share
    opened = await shares.links.open(created.token)
    assert opened.principal == Principal.by_link(created.share.id)
    assert opened.share.id == created.share.id
    assert await shares.links.targets(opened) == (ShareTarget(gallery_id=lisbon.id),) == created.share.targets


async def test_nothing_in_the_database_opens_a_link(shares: ShareService, lisbon: Gallery, database: Database) -> None:
    created = await shares.create(ANA, targets=[lisbon.id], password="sesame")
    async with database.connection() as connection:
        tables = await connection.fetch(
            "SELECT shares::text AS row FROM shares UNION ALL SELECT events::text FROM events"
        )
    rows = " ".join(each["row"] for each in tables)
    assert str(created.share.id) in rows
    assert created.token is not None
    assert created.token not in rows
    assert "sesame" not in rows
    assert "argon2id" in rows


async def test_a_share_is_of_several_things_or_of_everything(
    shares: ShareService, library: Library, lisbon: Gallery
) -> None:
    image = await library.add_image(make_image(owner_id="ana"))
    both = await shares.create(ANA, targets=[image.id, ShareTarget(gallery_id=lisbon.id)])
    assert set(both.share.targets) == {ShareTarget(image_id=image.id), ShareTarget(gallery_id=lisbon.id)}
    everything = await shares.create(ANA, targets=[LIBRARY])
    assert everything.share.targets == (LIBRARY,)


async def test_only_ones_own_can_be_shared(shares: ShareService, library: Library, lisbon: Gallery) -> None:
    image = await library.add_image(make_image(owner_id="ana"))
    open_to_all = await library.galleries.create(ANA, name="Porto", visibility="public")
    for target in (
        lisbon.id,
        image.id,
        open_to_all.id,
        new_id(),
        ShareTarget(gallery_id=lisbon.id),
        ShareTarget(image_id=new_id()),
    ):
        with pytest.raises(NotFound):
            await shares.create(BEN, targets=[target])
    with pytest.raises(NotFound):  # an image is no gallery
        await shares.create(ANA, targets=[ShareTarget(gallery_id=image.id)])
    with pytest.raises(Unauthenticated):
        await shares.create(Principal.anonymous(), targets=[lisbon.id])
    with pytest.raises(Unauthenticated):
        await shares.create(Principal.by_link(new_id()), targets=[lisbon.id])
    await library.images.trash.put(ANA, image.id)
    with pytest.raises(NotFound):
        await shares.create(ANA, targets=[image.id])


async def test_every_fault_is_told_at_once_with_the_names_that_there_are(
    shares: ShareService, lisbon: Gallery, clock: ManualClock
) -> None:
    with pytest.raises(InvalidInput) as error:
        await shares.create(
            ANA,
            targets=[lisbon.id],
            permissions=["view", "fly", "delete"],
            metadata="some",  # type: ignore[arg-type]
            slug="Not A Slug",
            password="abc",
            expires_at=clock() - timedelta(seconds=1),
            max_views=0,
            recipients=[ShareRecipient(RecipientKind.EMAIL, "nobody"), ShareRecipient(RecipientKind.USER, "")],
        )
    assert paths(error.value) == {
        "body.permissions.1",
        "body.permissions.2",
        "body.metadata",
        "body.slug",
        "body.password",
        "body.expires_at",
        "body.max_views",
        "body.recipients.0.email",
        "body.recipients.1.user",
    }
    assert "view, download, comment, add_images, edit" in str(error.value)
    for wide in (Permission.DELETE | Permission.VIEW, Permission.VIEW | Permission(64)):
        with pytest.raises(InvalidInput, match="must be of view, download"):
            await shares.create(ANA, targets=[lisbon.id], permissions=wide)


async def test_who_may_have_originals_has_the_permission_and_nobody_else(shares: ShareService, lisbon: Gallery) -> None:
    made = await shares.create(ANA, targets=[lisbon.id], permissions=["view", "download"], metadata="all")
    assert made.share.download is DownloadAllowed.ORIGINAL
    narrower = await shares.update(ANA, made.share.id, download="variant")
    assert (narrower.permissions, narrower.download) == (Permission.VIEW, DownloadAllowed.VARIANT)
    wider = await shares.update(ANA, made.share.id, download="original")
    assert Permission.DOWNLOAD in wider.permissions
    without = await shares.update(ANA, made.share.id, permissions=["view"])
    assert without.download is DownloadAllowed.VARIANT
    with pytest.raises(InvalidInput):
        await shares.update(ANA, made.share.id, permissions=["view"], download="original")


async def test_what_is_not_given_stays(shares: ShareService, lisbon: Gallery, clock: ManualClock) -> None:
    made = await shares.create(ANA, targets=[lisbon.id], note="Look", max_views=5, metadata="none")
    clock.advance(timedelta(seconds=1))
    changed = await shares.update(ANA, made.share.id, note="Look again")
    assert changed == evolve(made.share, note="Look again", updated_at=clock())
    assert (await shares.update(ANA, made.share.id, max_views=None)).max_views is None


async def test_every_wrong_token_is_the_same(shares: ShareService, lisbon: Gallery) -> None:
    token = (await shares.create_link(ANA, [lisbon.id])).token
    assert token is not None
    wrong = [token[:-1], token + "A", token.swapcase(), "", "a", "x" * 100_000, "\0", "\ud800", token + "\0", "é"]
    for each in wrong:
        with pytest.raises(NotFound, match=r"^There is no such share\.$"):
            await shares.links.open(each)


async def test_a_share_that_ended_says_why_to_who_has_its_link(
    shares: ShareService, lisbon: Gallery, clock: ManualClock
) -> None:
    expiring = await shares.create_link(ANA, [lisbon.id], expires_in=timedelta(hours=1))
    revoked = await shares.create_link(ANA, [lisbon.id])
    assert expiring.token is not None
    assert revoked.token is not None
    visit = (await shares.links.open(revoked.token)).visit
    await shares.revoke(ANA, revoked.share.id)
    await shares.revoke(ANA, revoked.share.id)
    assert visit is not None
    clock.advance(timedelta(hours=1))
    for token, reason in ((expiring.token, "expired"), (revoked.token, "revoked")):
        with pytest.raises(ShareEnded) as error:
            await shares.links.open(token, visit=visit.token)
        assert error.value.reason == reason
    with pytest.raises(Conflict):
        await shares.update(ANA, revoked.share.id, note="Again")
    await shares.delete(ANA, revoked.share.id)
    with pytest.raises(NotFound):
        await shares.links.open(revoked.token)


async def test_a_link_opens_as_often_as_it_may_whoever_comes_at_once(
    shares: ShareService, database: Database, clock: ManualClock, lisbon: Gallery
) -> None:
    token = (await shares.create(ANA, targets=[lisbon.id], max_views=3)).token
    assert token is not None
    with pytest.raises(VisitRequired):
        await shares.links.open(token, begins=False)
    others = ShareService(database, shares.links._rates, SharingOptions(), clock)
    outcomes: list[str] = []

    async def come(service: ShareService, number: int) -> None:
        try:
            opened = await service.links.open(token, address=f"192.0.2.{number}")
            assert opened.visit is not None
            outcomes.append(opened.visit.token)
        except ShareEnded as error:
            outcomes.append(error.reason)

    async with anyio.create_task_group() as tasks:
        for number in range(10):
            tasks.start_soon(come, (shares, others)[number % 2], number)
    assert outcomes.count("exhausted") == 7
    visit = next(each for each in outcomes if each != "exhausted")
    assert (await others.links.open(token, visit=visit, begins=False)).visit is None
    assert (await others.links.open(token, visit=visit)).visit is None
    clock.advance(SharingOptions().visit)
    with pytest.raises(ShareEnded):
        await shares.links.open(token, visit=visit)


async def test_a_password_is_asked_for_until_it_is_given(shares: ShareService, lisbon: Gallery) -> None:
    made = await shares.create(ANA, targets=[lisbon.id], password="sesame")
    token = made.token
    assert token is not None
    for begins in (True, False):
        with pytest.raises(PasswordRequired):
            await shares.links.open(token, begins=begins)
    with pytest.raises(WrongPassword):
        await shares.links.open(token, password="Sesame")
    visit = (await shares.links.open(token, password="sesame")).visit
    assert visit is not None
    assert (await shares.links.open(token, visit=visit.token, begins=False)).share.id == made.share.id
    for altered in (visit.token[:-1], visit.token + "0", visit.token.replace(visit.token[0], "f", 1), "", "."):
        with pytest.raises(PasswordRequired):
            await shares.links.open(token, visit=altered, begins=False)
    other = await shares.create(ANA, targets=[lisbon.id], password="sesame")
    assert other.token is not None
    with pytest.raises(PasswordRequired):  # a visit is to one share
        await shares.links.open(other.token, visit=visit.token)
    await shares.update(ANA, made.share.id, password="open sesame")
    with pytest.raises(PasswordRequired):
        await shares.links.open(token, visit=visit.token, begins=False)
    assert (await shares.links.open(token, password="open sesame")).visit
    await shares.update(ANA, made.share.id, password=None)
    assert (await shares.links.open(token)).visit


async def test_passwords_are_tried_at_a_rate_by_share_and_address(shares: ShareService, lisbon: Gallery) -> None:
    token = (await shares.create(ANA, targets=[lisbon.id], password="sesame")).token
    other = (await shares.create(ANA, targets=[lisbon.id], password="sesame")).token
    assert token is not None
    assert other is not None
    for _ in range(3):
        with pytest.raises(WrongPassword):
            await shares.links.open(token, password="guess", address="192.0.2.1")
    with pytest.raises(RateLimited):
        await shares.links.open(token, password="sesame", address="192.0.2.1")
    assert (await shares.links.open(token, password="sesame", address="192.0.2.2")).visit
    assert (await shares.links.open(other, password="sesame", address="192.0.2.1")).visit


async def test_a_name_opens_it_too_and_an_earlier_one_leads_there(shares: ShareService, lisbon: Gallery) -> None:
    made = await shares.create(ANA, targets=[lisbon.id], slug="lisbon-2026")
    assert (await shares.links.open("lisbon-2026")).share.id == made.share.id
    await shares.update(ANA, made.share.id, slug="lisbon")
    assert (await shares.links.open("lisbon")).share.slug == "lisbon"
    with pytest.raises(LinkMoved) as moved:
        await shares.links.open("lisbon-2026")
    assert moved.value.slug == "lisbon"
    for slug in ("lisbon", "lisbon-2026"):  # nobody else gets it, while the share is there
        with pytest.raises(Conflict):
            await shares.create(ANA, targets=[lisbon.id], slug=slug)
    assert (await shares.update(ANA, made.share.id, slug="lisbon-2026")).slug == "lisbon-2026"
    await shares.update(ANA, made.share.id, slug=None)
    for slug in ("lisbon", "lisbon-2026"):
        with pytest.raises(NotFound):
            await shares.links.open(slug)
    assert made.token is not None
    assert (await shares.links.open(made.token)).visit
    await shares.update(ANA, made.share.id, slug="lisbon")
    await shares.remove_link(ANA, made.share.id)
    with pytest.raises(NotFound):
        await shares.links.open("lisbon")


async def test_another_link_ends_the_first(shares: ShareService, lisbon: Gallery) -> None:
    made = await shares.create(ANA, targets=[lisbon.id])
    again = await shares.rotate_link(ANA, made.share.id)
    assert made.token is not None
    assert again.token is not None
    with pytest.raises(NotFound):
        await shares.links.open(made.token)
    assert (await shares.links.open(again.token)).share.id == made.share.id


async def test_recipients_are_replaced_but_for_those_who_came_by_the_link(
    shares: ShareService, lisbon: Gallery, database: Database
) -> None:
    ben = ShareRecipient(RecipientKind.USER, "ben", permissions=Permission.VIEW | Permission.DOWNLOAD)
    eve = ShareRecipient(RecipientKind.EMAIL, " Eve@Example.ORG ", metadata=MetadataShown.NONE)
    made = await shares.create(ANA, targets=[lisbon.id], link=False, recipients=[ben, eve])
    assert made.token is None
    assert not made.share.has_link
    told = {each.name: each for each in made.share.recipients}
    assert told["ben"].download is DownloadAllowed.ORIGINAL
    assert told["eve@example.org"].metadata is MetadataShown.NONE
    async with database.connection() as connection:
        await connection.execute("UPDATE share_recipients SET by_link = true WHERE name = 'ben'")
    family = ShareRecipient(RecipientKind.GROUP, "family")
    changed = await shares.update(ANA, made.share.id, recipients=[family])
    assert {each.name for each in changed.recipients} == {"ben", "family"}


async def test_what_has_no_meaning_without_a_link(shares: ShareService, lisbon: Gallery, clock: ManualClock) -> None:
    with pytest.raises(InvalidInput) as error:
        await shares.create(ANA, targets=[lisbon.id], link=False, slug="lisbon", password="sesame", max_views=1)
    assert paths(error.value) == {"body.slug", "body.password", "body.max_views", "body.recipients"}
    with pytest.raises(InvalidInput) as error:
        await shares.create(ANA, targets=[lisbon.id], starts_at=clock())
    assert paths(error.value) == {"body.starts_at"}


async def test_others_have_no_part_in_a_share(shares: ShareService, lisbon: Gallery) -> None:
    share_id = (await shares.create_link(ANA, [lisbon.id])).share.id
    for act in (
        shares.get(BEN, share_id),
        shares.update(BEN, share_id, note="Mine"),
        shares.rotate_link(BEN, share_id),
        shares.remove_link(BEN, share_id),
        shares.revoke(BEN, share_id),
        shares.delete(BEN, share_id),
        shares.accesses(BEN, share_id),
    ):
        with pytest.raises(NotFound):
            await act
    assert not (await shares.list(BEN)).items


async def test_the_list_is_by_cursor_and_by_target(
    shares: ShareService, library: Library, lisbon: Gallery, clock: ManualClock
) -> None:
    image = await library.add_image(make_image(owner_id="ana"))
    made = []
    for targets in ([lisbon.id], [image.id], [lisbon.id, image.id], [LIBRARY]):
        clock.advance(timedelta(seconds=1))
        made.append((await shares.create(ANA, targets=targets)).share)
    first = await shares.list(ANA, limit=3)
    second = await shares.list(ANA, limit=3, cursor=first.next_cursor)
    assert [*first.items, *second.items] == made[::-1]
    assert not second.has_more
    assert (await shares.list(ANA, gallery_id=lisbon.id)).items == (made[2], made[0])
    assert (await shares.list(ANA, image_id=str(image.id))).items == (made[2], made[1])
    await shares.revoke(ANA, made[0].id)
    assert (await shares.list(ANA, gallery_id=lisbon.id)).items == (made[2],)
    assert len((await shares.list(ANA, gallery_id=lisbon.id, with_revoked=True)).items) == 2


async def test_there_is_a_limit(shares: ShareService, lisbon: Gallery) -> None:
    for _ in range(5):
        await shares.create_link(ANA, [lisbon.id])
    with pytest.raises(Conflict):
        await shares.create_link(ANA, [lisbon.id])


async def test_accesses_tell_recipients_and_nothing_of_visitors(
    shares: ShareService, lisbon: Gallery, clock: ManualClock, database: Database
) -> None:
    ben = ShareRecipient(RecipientKind.EMAIL, "ben@example.org")
    made = await shares.create(ANA, targets=[lisbon.id], recipients=[ben])
    token = made.token
    assert token is not None
    await shares.links.open(token, address="192.0.2.1")
    await shares.links.open(token, address="192.0.2.1")
    await shares.links.open(token, address="192.0.2.2")
    await shares.links.open(token, address="192.0.2.1", visitor=Principal.user("ben", emails=["Ben@example.org"]))
    await shares.received.get(Principal.user("ben", emails=["ben@example.org"]), made.share.id)
    today = (await shares.accesses(ANA, made.share.id)).items
    assert sorted(each.opened for each in today) == [1, 2, 2]
    assert [each.recipient.name for each in today if each.recipient] == ["ben@example.org"]
    assert (await shares.get(ANA, made.share.id)).views == 4
    clock.advance(timedelta(days=1))
    await shares.links.open(token, address="192.0.2.1")
    all_days = await shares.accesses(ANA, made.share.id, limit=2)
    rest = await shares.accesses(ANA, made.share.id, limit=2, cursor=all_days.next_cursor)
    everything = [*all_days.items, *rest.items]
    assert len({each.visitor for each in everything}) == 4  # who came on two days cannot be known again
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM share_salts") == 1
    clock.advance(SharingOptions().accesses_kept + timedelta(days=1))
    await shares.links.sweep()
    assert not (await shares.accesses(ANA, made.share.id)).items
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM share_salts") == 0


async def test_every_wrong_token_is_as_much_work(shares: ShareService, lisbon: Gallery) -> None:
    token = (await shares.create_link(ANA, [lisbon.id])).token
    assert token is not None
    asked = set()
    for wrong in (token[:-1], token.swapcase(), "", "lisbon", "Not A Name", "\0", "x" * 10_000):
        with counted() as trace, pytest.raises(NotFound):
            await shares.links.open(wrong)
        asked.add(tuple(trace.statements))
    assert len(asked) == 1
    assert sum("FROM shares" in each for each in asked.pop()) == 1


async def test_a_link_is_nobody_else(shares: ShareService, library: Library, lisbon: Gallery) -> None:
    """What it opens is what the share says, and nothing of its owner's, nor of another share's."""
    porto = await library.galleries.create(ANA, name="Porto")
    link = await shares.create_link(ANA, [lisbon.id])
    await shares.create(ANA, targets=[porto.id], recipients=[ShareRecipient(RecipientKind.USER, "ana")])
    assert link.token is not None
    opened = await shares.links.open(link.token, visitor=ANA)
    assert (await library.galleries.get(opened.principal, lisbon.id)).name == "Lisbon"
    with pytest.raises(NotFound):
        await library.galleries.get(opened.principal, porto.id)
    for act in (shares.list(opened.principal), shares.get(opened.principal, link.share.id)):
        with pytest.raises(Unauthenticated):
            await act
    await shares.revoke(ANA, link.share.id)
    with pytest.raises(NotFound):
        await library.galleries.get(opened.principal, lisbon.id)


async def test_a_share_of_something_in_the_trash_can_be_changed(
    shares: ShareService, library: Library, lisbon: Gallery
) -> None:
    image = await library.add_image(make_image(owner_id="ana"))
    made = await shares.create(ANA, targets=[image.id, lisbon.id])
    await library.images.trash.put(ANA, image.id)
    assert (await shares.update(ANA, made.share.id, note="Look")).targets == made.share.targets
    with pytest.raises(NotFound):
        await shares.update(ANA, made.share.id, targets=[image.id])
    await library.images.trash.purge(ANA, image.id)
    assert (await shares.get(ANA, made.share.id)).targets == (ShareTarget(gallery_id=lisbon.id),)


async def test_a_host_that_allows_less_lets_nobody_share_more(
    database: Database, clock: ManualClock, lisbon: Gallery
) -> None:
    authority = Authority()
    shares = ShareService(database, UNLIMITED, SharingOptions(), clock, authority)
    made = await shares.create(ANA, targets=[lisbon.id, LIBRARY], permissions=["view"])
    authority.ask(lambda _, needed, __: needed is not Permission.DOWNLOAD)
    for target in (lisbon.id, LIBRARY):
        with pytest.raises(Forbidden):
            await shares.create(ANA, targets=[target], permissions=["view", "download"])
    with pytest.raises(Forbidden):
        await shares.update(ANA, made.share.id, permissions=["view", "download"])
    assert (await shares.update(ANA, made.share.id, note="Look")).note == "Look"
