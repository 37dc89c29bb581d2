"""What owners are told of who has access, which is what the decision decides."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from attrs import evolve
from tests.support import shares
from tests.support.clock import START, ManualClock
from tests.support.library import Library, make_image
from tests.support.shares import share

from imagegallery.access import records
from imagegallery.access.audience import Visibility
from imagegallery.access.decision import Facts, permissions
from imagegallery.access.disclosure import EVERYBODYS, disclosure
from imagegallery.access.explanation import AccessReport, HeldGrant, Holder, HolderKind, ReachedBy, explain
from imagegallery.access.grant import DownloadAllowed, Grant, MetadataShown
from imagegallery.access.permission import CONTRIBUTOR, OWNER, VIEWER, Permission
from imagegallery.errors import Forbidden, NotFound, Unauthenticated
from imagegallery.principal import Principal

ANA, BEN, NOBODY = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()
OWNERS = Holder(HolderKind.OWNER, "ana", OWNER, MetadataShown.ALL, DownloadAllowed.ORIGINAL)
EVERYBODY = Holder(HolderKind.EVERYBODY, None, Permission.VIEW, EVERYBODYS.metadata, EVERYBODYS.download)


def held(kind: HolderKind, name: str | None, grant: Grant) -> HeldGrant:
    return HeldGrant(kind, name, grant, ReachedBy.GALLERY)


def test_what_is_not_shared_is_its_owners_and_what_is_open_everybodys() -> None:
    assert explain(Facts("ana"), (), is_whole=True).holders == (OWNERS,)
    for visibility in (Visibility.PUBLIC, Visibility.UNLISTED):
        assert explain(Facts("ana", visibility), (), is_whole=True).holders == (OWNERS, EVERYBODY)


@pytest.mark.parametrize("visibility", Visibility)
def test_what_a_holder_has_is_what_the_decision_gives_who_has_these_grants(visibility: Visibility) -> None:
    one = Grant(uuid4(), Permission.VIEW, MetadataShown.ALL)
    other = Grant(uuid4(), VIEWER | Permission.EDIT, MetadataShown.NONE, DownloadAllowed.ORIGINAL)
    useless = Grant(uuid4(), Permission.NONE)
    facts = Facts("ana", visibility)
    told = [
        held(HolderKind.GROUP, "club", one),
        held(HolderKind.LINK, None, one),
        held(HolderKind.LINK, None, other),
        held(HolderKind.USER, "ben", one),
        held(HolderKind.USER, "ben", other),
        held(HolderKind.USER, "carla", useless),
    ]
    report = explain(facts, told, is_whole=True)
    assert (report.visibility, report.is_whole) == (visibility, True)
    by_share = [each for each in report.holders if each.grants]
    wanted = [told[:1], told[1:2], told[2:3], told[3:5]]
    if visibility is not Visibility.PRIVATE:
        wanted.append(told[5:])  # who sees what everybody sees
    assert [list(each.grants) for each in by_share] == wanted
    for holder in by_share:
        granted = evolve(facts, grants=tuple(each.grant for each in holder.grants))
        shown = disclosure(BEN, granted)
        assert holder.permissions == permissions(BEN, granted)
        assert (holder.metadata, holder.download) == (shown.metadata, shown.download)


@pytest.fixture
async def gallery_id(library: Library) -> UUID:
    return (await library.galleries.create(ANA, name="Lisbon")).id


Holders = dict[tuple[str, str | None], Holder]


def by_name(report: AccessReport) -> Holders:
    return {(each.kind.value, each.name): each for each in report.holders}


async def test_a_gallery_tells_its_shares(library: Library, gallery_id: UUID, clock: ManualClock) -> None:
    ends = START + timedelta(hours=1)
    share_id = await share(library.database, galleries=[gallery_id], to=["ben", "group:club"], link=True)
    await shares.add_recipient(library.database, share_id, "email:carla@example.org", CONTRIBUTOR)
    await share(library.database, galleries=[gallery_id], to=["ben"], metadata=MetadataShown.ALL, expires_at=ends)
    await share(library.database, library=True, to=["dora"])
    await share(library.database, galleries=[(await library.galleries.create(ANA, name="Porto")).id], to=["eva"])

    found = by_name(await library.galleries.access(ANA, gallery_id))
    assert set(found) == {
        ("owner", "ana"),
        ("user", "ben"),
        ("group", "club"),
        ("email", "carla@example.org"),
        ("link", None),
    }
    ben = found["user", "ben"]
    assert (len(ben.grants), ben.metadata) == (2, MetadataShown.ALL)
    assert {each.reached_by for each in ben.grants} == {ReachedBy.GALLERY}
    assert found["email", "carla@example.org"].permissions == CONTRIBUTOR & ~Permission.DOWNLOAD
    clock.advance(timedelta(hours=1))
    assert len(by_name(await library.galleries.access(ANA, gallery_id))["user", "ben"].grants) == 1
    await shares.change(library.database, share_id, revoked_at=START)
    assert (await library.galleries.access(ANA, gallery_id)).holders == (OWNERS,)


async def test_an_image_tells_by_what_it_is_reached(library: Library, gallery_id: UUID) -> None:
    image_id = (await library.add_image(make_image(), gallery_id)).id
    for target in ({"galleries": [gallery_id]}, {"images": [image_id]}, {"library": True}):
        await share(library.database, to=["ben"], **target)
    await share(library.database, to=["ben"], library=True, starts_at=START + timedelta(seconds=1))
    grants = by_name(await library.images.access(ANA, image_id))["user", "ben"].grants
    assert {(each.reached_by, each.gallery_id) for each in grants} == {
        (ReachedBy.GALLERY, gallery_id),
        (ReachedBy.IMAGE, None),
        (ReachedBy.LIBRARY, None),
    }
    assert len(grants) == 3


async def test_it_is_the_owners_alone(library: Library, gallery_id: UUID) -> None:
    image_id = (await library.add_image(make_image(), gallery_id)).id
    asked: list[Callable[[Principal], object]] = [
        lambda principal: library.galleries.access(principal, gallery_id),
        lambda principal: library.images.access(principal, image_id),
    ]
    share_id = await share(library.database, galleries=[gallery_id], to=["ben"], permissions=OWNER, link=True)
    for ask in asked:
        for principal, refusal in [
            (NOBODY, Unauthenticated),
            (Principal.user("carla"), NotFound),
            (BEN, Forbidden),
            (Principal.by_link(share_id), Forbidden),
        ]:
            with pytest.raises(refusal):
                await ask(principal)  # type: ignore[misc]


async def test_it_tells_so_many_and_says_if_there_are_more(
    library: Library, gallery_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MAX_EXPLAINED", 2)
    await share(library.database, galleries=[gallery_id], to=["ben", "carla"])
    assert (await library.galleries.access(ANA, gallery_id)).is_whole
    await share(library.database, galleries=[gallery_id], to=["dora"])
    report = await library.galleries.access(ANA, gallery_id)
    assert not report.is_whole
    assert [each.name for each in report.holders] == ["ana", "ben", "carla"]
