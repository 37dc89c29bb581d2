"""Joining and leaving what others share, and what partners see of a library."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from attrs import evolve
from tests.support.clock import START, ManualClock
from tests.support.library import Library, make_image, with_place

from imagegallery.access.audience import Audience
from imagegallery.access.grant import DownloadAllowed, MetadataShown
from imagegallery.access.permission import Permission
from imagegallery.errors import Conflict, InvalidCursor, InvalidInput, NotFound, ShareEnded, Unauthenticated
from imagegallery.galleries.filter import GalleryFilter
from imagegallery.galleries.gallery import Gallery
from imagegallery.images.image.image import Image, LibraryOrder
from imagegallery.images.library.filter import ImageFilter
from imagegallery.principal import Principal
from imagegallery.sharing import received_service
from imagegallery.sharing.received import ReceivedShare
from imagegallery.sharing.service import ShareService
from imagegallery.sharing.share import LIBRARY, RecipientKind, ShareRecipient

ANA, BEN, NOBODY = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()
CARLA = Principal.user("carla", emails=["carla@example.org"], groups=["club"])


def to(name: str, kind: str = "user", **override: object) -> ShareRecipient:
    return ShareRecipient(RecipientKind(kind), name, **override)  # type: ignore[arg-type]


@pytest.fixture
async def lisbon(library: Library) -> Gallery:
    gallery = await library.galleries.create(ANA, name="Lisbon")
    await library.add_image(with_place(make_image()), gallery.id)
    return gallery


async def received(shares: ShareService, principal: Principal) -> list[ReceivedShare]:
    return [*(await shares.received.list(principal)).items]


async def names(library: Library, principal: Principal) -> list[str]:
    return [each.name for each in (await library.galleries.list(principal, view="shared")).items]


async def test_who_came_by_a_link_keeps_it_whatever_becomes_of_it(
    shares: ShareService, library: Library, lisbon: Gallery
) -> None:
    made = await shares.create(ANA, targets=[lisbon.id], password="sesame", note="For you")
    assert made.token is not None
    opened = await shares.links.open(made.token, password="sesame", visitor=BEN)
    assert await names(library, BEN) == []
    kept = await shares.received.join(BEN, opened)
    assert (kept.id, kept.note, kept.targets) == (made.share.id, "For you", made.share.targets)
    assert (kept.owner_id, kept.joined_at, kept.can_leave) == (None, START, True)
    assert await received(shares, BEN) == [kept] == [await shares.received.join(BEN, opened)]
    assert await names(library, BEN) == ["Lisbon"]
    (recipient,) = (await shares.get(ANA, made.share.id)).recipients
    assert (recipient.name, recipient.by_link, recipient.joined_at) == ("ben", True, START)

    await shares.update(ANA, made.share.id, password="another")
    await shares.remove_link(ANA, made.share.id)
    gallery = await library.galleries.get(BEN, lisbon.id)
    assert gallery.audience is Audience.SHARED
    assert (await library.galleries.list_images(BEN, lisbon.id)).items

    await shares.revoke(ANA, made.share.id)
    assert (await received(shares, BEN), await names(library, BEN)) == ([], [])
    with pytest.raises(NotFound):
        await library.galleries.get(BEN, lisbon.id)


async def test_it_lasts_as_long_as_the_share(
    shares: ShareService, library: Library, lisbon: Gallery, clock: ManualClock
) -> None:
    made = await shares.create_link(ANA, [lisbon.id], expires_in=timedelta(hours=1))
    assert made.token is not None
    await shares.received.join(BEN, await shares.links.open(made.token))
    clock.advance(timedelta(hours=1))
    assert (await received(shares, BEN), await names(library, BEN)) == ([], [])
    with pytest.raises(NotFound):
        await shares.received.get(BEN, made.share.id)


async def test_either_side_ends_it(shares: ShareService, library: Library, lisbon: Gallery) -> None:
    made = await shares.create(ANA, targets=[lisbon.id], recipients=[to("carla@example.org", "email")])
    assert made.token is not None
    opened = await shares.links.open(made.token)
    await shares.received.join(BEN, opened)
    await shares.received.leave(BEN, made.share.id)
    with pytest.raises(NotFound):
        await library.galleries.get(BEN, lisbon.id)
    with pytest.raises(NotFound):
        await shares.received.leave(BEN, made.share.id)

    await shares.received.leave(CARLA, made.share.id)
    assert (await shares.get(ANA, made.share.id)).recipients == ()

    await shares.received.join(BEN, opened)
    (recipient,) = (await shares.get(ANA, made.share.id)).recipients
    assert recipient.id is not None
    for principal in (BEN, CARLA):
        with pytest.raises(NotFound):
            await shares.remove_recipient(principal, made.share.id, recipient.id)
    await shares.remove_recipient(ANA, made.share.id, recipient.id)
    assert await names(library, BEN) == []
    with pytest.raises(NotFound):
        await shares.remove_recipient(ANA, made.share.id, recipient.id)


async def test_what_a_group_has_only_its_owner_ends(shares: ShareService, library: Library, lisbon: Gallery) -> None:
    made = await shares.create(ANA, targets=[lisbon.id], link=False, recipients=[to("club", "group"), to("carla")])
    (share,) = await received(shares, CARLA)
    assert (share.owner_id, share.joined_at, share.can_leave) == ("ana", None, True)
    await shares.received.leave(CARLA, made.share.id)
    (share,) = await received(shares, CARLA)
    assert not share.can_leave
    with pytest.raises(Conflict, match="group"):
        await shares.received.leave(CARLA, made.share.id)
    assert await names(library, CARLA) == ["Lisbon"]


async def test_what_one_has_by_several_names_adds_up(shares: ShareService, lisbon: Gallery) -> None:
    who = [
        to("club", "group", permissions=Permission.VIEW | Permission.EDIT),
        to("carla", metadata=MetadataShown.ALL, download=DownloadAllowed.VARIANT),
    ]
    await shares.create(ANA, targets=[lisbon.id], link=False, recipients=who)
    (share,) = await received(shares, CARLA)
    assert share.permissions == Permission.VIEW | Permission.EDIT
    assert (share.metadata, share.download) == (MetadataShown.ALL, DownloadAllowed.VARIANT)


async def test_one_joins_no_share_of_ones_own_and_none_without_being_known(
    shares: ShareService, lisbon: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await shares.create_link(ANA, [lisbon.id])
    assert made.token is not None
    opened = await shares.links.open(made.token)
    with pytest.raises(Conflict, match="own"):
        await shares.received.join(ANA, opened)
    for nobody in (NOBODY, opened.principal):
        with pytest.raises(Unauthenticated):
            await shares.received.join(nobody, opened)
        with pytest.raises(Unauthenticated):
            await shares.received.list(nobody)
    monkeypatch.setattr(received_service, "MAX_JOINED", 1)
    await shares.received.join(BEN, opened)
    await shares.received.join(BEN, opened)
    with pytest.raises(Conflict, match="have kept"):
        await shares.received.join(CARLA, opened)
    monkeypatch.undo()
    await shares.revoke(ANA, made.share.id)
    with pytest.raises(ShareEnded):
        await shares.links.open(made.token)
    with pytest.raises(NotFound):
        await shares.received.join(BEN, opened)


async def test_the_owner_is_told_who_joins_and_leaves(shares: ShareService, library: Library, lisbon: Gallery) -> None:
    made = await shares.create_link(ANA, [lisbon.id])
    assert made.token is not None
    opened = await shares.links.open(made.token)
    for _ in range(2):
        await shares.received.join(BEN, opened)
    await shares.received.leave(BEN, made.share.id)
    async with library.database.connection() as connection:
        rows = await connection.fetch("SELECT type, owner_id FROM events WHERE type LIKE 'share.%' ORDER BY id")
    told = [(row["type"], row["owner_id"]) for row in rows]
    assert told == [("share.created", "ana"), ("share.joined", "ana"), ("share.left", "ana")]


async def test_lists_go_on_where_they_ended(shares: ShareService, library: Library) -> None:
    for number in range(5):
        gallery = await library.galleries.create(ANA, name=f"{number}")
        await shares.create(ANA, targets=[gallery.id], link=False, recipients=[to("ben"), to("club", "group")])
        library.clock.advance(timedelta(seconds=1))
    await library.galleries.create(ANA, name="not shared")
    for principal in (BEN, CARLA):
        seen, ids, cursor, place = [], [], None, None
        for _ in range(3):
            page = await library.galleries.list(principal, view="shared", cursor=cursor, limit=2)
            seen += [each.name for each in page.items]
            mine = await shares.received.list(principal, cursor=place, limit=2)
            ids += [each.id for each in mine.items]
            cursor, place = page.next_cursor, mine.next_cursor
        assert (seen, cursor, place) == ([*"43210"], None, None)
        assert len(set(ids)) == 5
    one = (await library.galleries.list(BEN, view="shared")).items[2]
    chosen = await library.galleries.list(BEN, view="shared", where=GalleryFilter(ids=[one.id]))
    assert [each.id for each in chosen.items] == [one.id]
    with pytest.raises(InvalidInput):
        await library.galleries.list(BEN, view="shared", where=GalleryFilter(meta={"sku": "A-1"}))
    with pytest.raises(Unauthenticated):
        await library.galleries.list(NOBODY, view="shared")


# --- partners -----------------------------------------------------------------------------------------------


async def a_library(library: Library) -> list[Image]:
    """Ana's: one image of each of three days before `START`, one archived, and one in the trash."""
    images = [await library.add_image(with_place(make_image(age=timedelta(days=days)))) for days in (1, 2, 3)]
    archived = await library.add_image(make_image())
    await library.images.update(ANA, archived.id, is_archived=True)
    trashed = await library.add_image(make_image())
    await library.images.trash.put(ANA, trashed.id)
    await library.add_image(make_image("dora"))
    return images


async def ids_of(library: Library, principal: Principal, share_id: UUID | None, **asked: object) -> list[UUID]:
    found = await library.images.library.list(principal, share_id=share_id, **asked)  # type: ignore[arg-type]
    return [each.id for each in found.items]


async def partner(shares: ShareService, **terms: object) -> UUID:
    made = await shares.create(ANA, targets=[LIBRARY], recipients=[to("ben")], **terms)  # type: ignore[arg-type]
    return made.share.id


@pytest.mark.parametrize("order", LibraryOrder)
async def test_a_partner_sees_the_library_since_it_was_shared(
    shares: ShareService, library: Library, order: LibraryOrder
) -> None:
    images = [each.id for each in await a_library(library)]
    share_id = await partner(shares, link=False)
    assert await ids_of(library, BEN, share_id, order=order) == images
    since = await partner(shares, link=False, starts_at=START - timedelta(days=2))
    assert await ids_of(library, BEN, since, order=order) == images[:2]
    page = await library.images.library.list(BEN, share_id=share_id, order=order, limit=2)
    rest = await library.images.library.list(BEN, share_id=share_id, order=order, cursor=page.next_cursor)
    assert [each.id for each in (*page.items, *rest.items)] == images
    with pytest.raises(InvalidCursor):
        await library.images.library.list(BEN, share_id=since, order=order, cursor=page.next_cursor)
    for each in page.items:
        assert (each.audience, each.latitude) == (Audience.SHARED, None)
        assert (await library.images.get(BEN, each.id)).audience is Audience.SHARED


async def test_chosen_images_are_found_however_many_are_before_them(
    shares: ShareService, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagegallery.images.library.records.EXAMINED", 2)
    *_, oldest = (each.id for each in await a_library(library))
    since = await partner(shares, link=False, starts_at=START - timedelta(days=2, hours=12))
    chosen = ImageFilter(ids=[oldest])
    assert await ids_of(library, BEN, await partner(shares, link=False), where=chosen) == [oldest]
    assert await ids_of(library, BEN, since, where=chosen) == []


async def test_a_link_of_a_library_shows_it(shares: ShareService, library: Library, lisbon: Gallery) -> None:
    images = await a_library(library)
    made = await shares.create(ANA, targets=[LIBRARY], starts_at=START - timedelta(days=2))
    assert made.token is not None
    link = (await shares.links.open(made.token)).principal
    (in_lisbon,) = (await library.galleries.list_images(ANA, lisbon.id)).items
    assert await ids_of(library, link, None) == [in_lisbon.id, *(each.id for each in images[:2])]
    another = await shares.create(ANA, targets=[LIBRARY])
    with pytest.raises(NotFound):
        await ids_of(library, link, another.share.id)
    of_gallery = await shares.create_link(ANA, [lisbon.id])
    with pytest.raises(NotFound):
        await ids_of(library, Principal.by_link(of_gallery.share.id), None)


async def test_the_timeline_of_a_partner(shares: ShareService, library: Library) -> None:
    images = await a_library(library)
    service = library.images.library
    share_id = await partner(shares, link=False, starts_at=START - timedelta(days=1))
    months = await service.timeline(BEN, share_id=share_id)
    assert sum(each.count for each in months) == 1
    month = await service.month(BEN, months[0].month, share_id=share_id)
    assert month.ids == (images[0].id,)
    with pytest.raises(InvalidInput):
        await service.timeline(BEN, share_id=share_id, is_archived=True)
    picture_only = await partner(shares, link=False, metadata="none")
    with pytest.raises(InvalidInput):
        await service.timeline(BEN, share_id=picture_only)
    with pytest.raises(InvalidInput):
        await service.month(BEN, months[0].month, share_id=picture_only)


@pytest.mark.parametrize(
    "asked",
    [
        {"where": ImageFilter(is_favorite=True)},
        {"where": ImageFilter(is_archived=True)},
        {"where": ImageFilter(visibility="private")},
        {"where": ImageFilter(meta={"sku": "A-1"})},
        {"where": ImageFilter(taken_from=START), "metadata": "none"},
        {"where": ImageFilter(taken_before=START), "metadata": "none"},
        {"order": "taken_at", "metadata": "none"},
    ],
    ids=str,
)
async def test_a_partner_asks_by_nothing_that_is_hidden(
    shares: ShareService, library: Library, asked: dict[str, object]
) -> None:
    share_id = await partner(shares, link=False, metadata=asked.pop("metadata", "basic"))
    with pytest.raises(InvalidInput):
        await ids_of(library, BEN, share_id, **asked)


async def test_a_library_is_nobody_elses(shares: ShareService, library: Library, lisbon: Gallery) -> None:
    share_id = await partner(shares, link=False)
    of_gallery = await shares.create(ANA, targets=[lisbon.id], link=False, recipients=[to("ben")])
    blind = evolve(to("dora"), permissions=Permission.VIEW)
    await shares.update(ANA, share_id, recipients=[to("ben"), blind])
    for principal, asked in [(CARLA, share_id), (ANA, share_id), (BEN, uuid4()), (BEN, of_gallery.share.id)]:
        with pytest.raises(NotFound):
            await ids_of(library, principal, asked)
    with pytest.raises(Unauthenticated):
        await ids_of(library, NOBODY, share_id)
    with pytest.raises(Unauthenticated):
        await ids_of(library, NOBODY, None)
    await shares.revoke(ANA, share_id)
    with pytest.raises(NotFound):
        await ids_of(library, BEN, share_id)
