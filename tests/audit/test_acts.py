"""What matters for security is kept where it is done, and undone with it."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from tests.support import shares
from tests.support.clock import ManualClock
from tests.support.library import Library, make_image

from imagegallery.access.audience import Visibility
from imagegallery.access.decision import Facts
from imagegallery.access.grant import DownloadAllowed, Grant, MetadataShown
from imagegallery.access.options import SharingOptions
from imagegallery.access.permission import VIEWER, Permission
from imagegallery.audit.entry import (
    BY_OPENNESS,
    BY_OWNERSHIP,
    BY_SYSTEM,
    OPERATOR,
    SYSTEM,
    Act,
    Actor,
    AuditEntry,
    Warrant,
    by_share,
)
from imagegallery.audit.options import AuditOptions
from imagegallery.audit.service import AuditService
from imagegallery.database.pool import Database
from imagegallery.errors import Forbidden
from imagegallery.ids import new_id
from imagegallery.owners.service import OwnerService
from imagegallery.principal import Principal, Role
from imagegallery.rates.counters import BoundedStorage, WindowCounts
from imagegallery.rates.limiter import RateLimiter
from imagegallery.rates.options import RateOptions
from imagegallery.sharing.service import ShareService
from imagegallery.sharing.share import ShareTarget

ANA, BEN = Principal.user("ana"), Principal.user("ben")
ADMIN = Principal.user("root", role=Role.ADMIN)
BY_ANA = (Actor.of(ANA), BY_OWNERSHIP)
BY_RETENTION = (SYSTEM, BY_SYSTEM)


@pytest.fixture
def library(database: Database, clock: ManualClock, tmp_path: Path) -> Library:
    return Library.on(database, tmp_path, clock)


@pytest.fixture
def audit(database: Database, clock: ManualClock) -> AuditService:
    return AuditService(database, AuditOptions(), clock)


async def acts_on(audit: AuditService, image_id: UUID) -> Sequence[tuple[Act, tuple[Actor, str]]]:
    """What was done to the image and by whom, the first act first."""
    kept = (await audit.list(ANA, image_id=image_id)).items
    assert all(each.entry.owner_id == "ana" for each in kept)
    return [(each.entry.act, (each.entry.actor, each.entry.grant)) for each in reversed(kept)]


async def test_the_life_of_an_image_in_the_trash(library: Library, audit: AuditService, clock: ManualClock) -> None:
    image = await library.add_image(make_image())
    trash = library.images.trash
    for act in (trash.put, trash.restore, trash.restore, trash.put, trash.purge):
        await act(ANA, image.id)
        clock.advance(timedelta(seconds=1))
    assert await acts_on(audit, image.id) == [
        (Act.IMAGE_TRASHED, BY_ANA),
        (Act.IMAGE_RESTORED, BY_ANA),
        (Act.IMAGE_TRASHED, BY_ANA),
        (Act.IMAGE_PURGED, BY_ANA),
    ]


async def test_what_the_retention_ends_was_ended_by_nobody(
    library: Library, audit: AuditService, clock: ManualClock
) -> None:
    image = await library.add_image(make_image())
    await library.images.trash.put(ANA, image.id)
    clock.advance(timedelta(days=31))
    assert await library.images.trash.sweep() == 1
    assert (await acts_on(audit, image.id))[-1] == (Act.IMAGE_PURGED, BY_RETENTION)


@pytest.mark.parametrize(
    ("action", "acts"),
    [
        ("trash", [Act.IMAGE_TRASHED]),
        ("delete", [Act.IMAGE_TRASHED, Act.IMAGE_PURGED]),
        ("favorite", []),
    ],
)
async def test_many_at_once(library: Library, audit: AuditService, action: str, acts: list[Act]) -> None:
    images = [await library.add_image(make_image()) for _ in range(3)]
    await library.images.batches.run(ANA, action, [each.id for each in images])  # type: ignore[arg-type]
    for each in images:
        assert [act for act, _ in await acts_on(audit, each.id)] == acts


async def test_a_gallery_that_goes_with_its_images(library: Library, audit: AuditService) -> None:
    image = await library.add_image(make_image())
    gallery = await library.galleries.create(ANA, name="Lisbon")
    await library.galleries.add_images(ANA, gallery.id, [image.id])
    await library.galleries.delete(ANA, gallery.id, with_images=True)
    (deleted,) = (await audit.list(ANA, gallery_id=gallery.id)).items
    assert deleted.entry == AuditEntry(Act.GALLERY_DELETED, Actor.of(ANA), BY_OWNERSHIP, "ana", gallery_id=gallery.id)
    assert await acts_on(audit, image.id) == [(Act.IMAGE_TRASHED, BY_ANA)]


async def test_what_opens_and_closes_a_gallery_or_an_image(library: Library, audit: AuditService) -> None:
    image = await library.add_image(make_image())
    gallery = await library.galleries.create(ANA, name="Lisbon")
    for visibility in ("public", "public", "private"):
        await library.galleries.update(ANA, gallery.id, visibility=visibility)
        await library.images.update(ANA, image.id, visibility=visibility)
    await library.galleries.update(ANA, gallery.id, name="Porto")
    await library.images.update(ANA, image.id, alt_text="A tram")
    changes = [{"from": "public", "to": "private"}, {"from": "private", "to": "public"}]
    of_gallery = (await audit.list(ANA, gallery_id=gallery.id)).items
    of_image = (await audit.list(ANA, image_id=image.id)).items
    assert [each.entry.details for each in of_gallery] == changes
    assert [each.entry.details for each in of_image] == changes
    assert {each.entry.act for each in of_gallery} == {Act.GALLERY_VISIBILITY_CHANGED}
    assert {each.entry.act for each in of_image} == {Act.IMAGE_VISIBILITY_CHANGED}


async def test_what_was_refused_was_not_done(library: Library, audit: AuditService) -> None:
    gallery = await library.galleries.create(ANA, name="Lisbon", visibility="public")
    with pytest.raises(Forbidden):
        await library.galleries.delete(BEN, gallery.id)
    assert (await audit.all(ADMIN)).items == ()


async def test_operators_limit_owners(database: Database, audit: AuditService, clock: ManualClock) -> None:
    await OwnerService(database, clock).limit_storage("ana", 1000)
    (kept,) = (await audit.list(ANA)).items
    assert (kept.entry.act, kept.entry.actor, kept.entry.details) == (
        Act.OWNER_LIMIT_CHANGED,
        OPERATOR,
        {"to": 1000},
    )


async def test_owners_get_their_originals_unseen(library: Library, audit: AuditService) -> None:
    image = await library.add_image(make_image())
    await library.images.download_url(ANA, image.id)
    assert (await audit.all(ADMIN)).items == ()


async def test_others_who_get_an_original_are_kept_once_an_hour(
    library: Library, audit: AuditService, clock: ManualClock
) -> None:
    image = await library.add_image(make_image())
    share_id = await shares.share(
        library.database, images=[image.id], to=["ben"], download=DownloadAllowed.ORIGINAL, metadata=MetadataShown.ALL
    )
    for _ in range(3):
        await library.images.download_url(BEN, image.id)
    await library.images.download_url(BEN, image.id, method="HEAD")
    (kept,) = (await audit.list(ANA, share_id=share_id)).items
    assert kept.entry == AuditEntry(
        Act.ORIGINAL_DOWNLOADED, Actor.of(BEN), by_share(share_id), "ana", image_id=image.id, share_id=share_id
    )
    clock.advance(timedelta(hours=1))
    await library.images.download_url(BEN, image.id)
    assert len(await acts_on(audit, image.id)) == 2


async def test_a_share_is_found_by_all_that_it_is_of(
    database: Database, library: Library, audit: AuditService, clock: ManualClock
) -> None:
    image = await library.add_image(make_image())
    gallery = await library.galleries.create(ANA, name="Lisbon")
    service = ShareService(
        database, RateLimiter(WindowCounts(BoundedStorage(clock)), RateOptions()), SharingOptions(), clock
    )
    made = await service.create(ANA, targets=[gallery.id, ShareTarget(image_id=image.id)])
    await service.revoke(ANA, made.share.id)
    expected = {Act.SHARE_CREATED, Act.SHARE_REVOKED}
    assert {act for act, _ in await acts_on(audit, image.id)} == expected
    assert {each.entry.act for each in (await audit.list(ANA, gallery_id=gallery.id)).items} == expected


def test_the_warrant_is_what_allows_it() -> None:
    viewing, keeping = new_id(), new_id()
    grants = (
        Grant(viewing, Permission.VIEW),
        Grant(keeping, VIEWER, download=DownloadAllowed.ORIGINAL, metadata=MetadataShown.ALL),
    )
    facts, link = Facts("ana", Visibility.PUBLIC, grants=grants), Principal.by_link(keeping)
    assert Warrant.of(ANA, facts, Permission.DELETE) == Warrant(Actor.of(ANA), BY_OWNERSHIP)
    assert Warrant.of(BEN, facts, Permission.DOWNLOAD) == Warrant(Actor.of(BEN), by_share(keeping), keeping)
    assert Warrant.of(link, facts, Permission.VIEW) == Warrant(Actor.of(link), by_share(viewing), viewing)
    assert Warrant.of(BEN, Facts("ana", Visibility.PUBLIC), Permission.VIEW).grant == BY_OPENNESS
