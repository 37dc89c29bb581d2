"""What is shown of a thing, by how it is seen."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from attrs import evolve

from imagegallery.access.audience import Audience, Visibility
from imagegallery.access.decision import Facts, permissions
from imagegallery.access.disclosure import EVERYBODYS, NOTHING, OWNERS, Disclosure, disclosure
from imagegallery.access.grant import DownloadAllowed, Grant, MetadataShown
from imagegallery.access.permission import VIEWER, Permission
from imagegallery.principal import Principal

ANA, BEN, NOBODY = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()
SHARE = UUID("01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52")
LINK = Principal.by_link(SHARE)
PICTURE = Grant(SHARE, Permission.VIEW, MetadataShown.NONE)
BASIC = Grant(SHARE, VIEWER, MetadataShown.BASIC, DownloadAllowed.VARIANT)
WHOLE = Grant(SHARE, VIEWER, MetadataShown.ALL, DownloadAllowed.ORIGINAL)


def shared(metadata: MetadataShown, download: DownloadAllowed) -> Disclosure:
    return Disclosure(Audience.SHARED, metadata, download)


def test_owners_see_everything_also_in_the_trash_and_everybody_the_same() -> None:
    assert disclosure(ANA, Facts("ana")) == disclosure(ANA, Facts("ana", is_trashed=True)) == OWNERS
    assert OWNERS.is_owners
    assert disclosure(BEN, Facts("ana", Visibility.PUBLIC)) == EVERYBODYS
    assert disclosure(NOBODY, Facts("ana", Visibility.UNLISTED, grants=(WHOLE,))) == EVERYBODYS
    assert not EVERYBODYS.is_owners


@pytest.mark.parametrize("principal", [BEN, NOBODY, LINK])
def test_who_may_not_see_it_is_shown_nothing(principal: Principal) -> None:
    assert disclosure(principal, Facts("ana")) == NOTHING
    assert disclosure(principal, Facts("ana", Visibility.PUBLIC, is_trashed=True, grants=(WHOLE,))) == NOTHING
    assert not NOTHING.has_counts


@pytest.mark.parametrize("principal", [BEN, LINK])
@pytest.mark.parametrize(
    ("grants", "shown"),
    [
        ((PICTURE,), shared(MetadataShown.NONE, DownloadAllowed.NONE)),
        ((BASIC,), shared(MetadataShown.BASIC, DownloadAllowed.VARIANT)),
        ((WHOLE,), shared(MetadataShown.ALL, DownloadAllowed.ORIGINAL)),
        ((PICTURE, BASIC), shared(MetadataShown.BASIC, DownloadAllowed.VARIANT)),
        ((evolve(WHOLE, download=DownloadAllowed.NONE), BASIC), shared(MetadataShown.ALL, DownloadAllowed.VARIANT)),
        ((evolve(WHOLE, permissions=Permission.VIEW),), shared(MetadataShown.ALL, DownloadAllowed.VARIANT)),
        ((evolve(WHOLE, permissions=Permission.ADD_IMAGES), PICTURE), shared(MetadataShown.NONE, DownloadAllowed.NONE)),
    ],
)
def test_of_several_grants_the_greatest_of_each_counts(
    principal: Principal, grants: tuple[Grant, ...], shown: Disclosure
) -> None:
    facts = Facts("ana", grants=grants)
    assert disclosure(principal, facts) == disclosure(principal, evolve(facts, grants=grants[::-1])) == shown
    gives_original = Permission.DOWNLOAD in permissions(principal, facts)
    assert gives_original is (shown.download is DownloadAllowed.ORIGINAL)


def test_a_share_of_what_is_open_takes_nothing_away() -> None:
    facts = Facts("ana", Visibility.PUBLIC, grants=(PICTURE,))
    assert disclosure(BEN, facts) == shared(EVERYBODYS.metadata, EVERYBODYS.download)


def test_only_the_picture_is_without_counts() -> None:
    counts = [disclosure(BEN, Facts("ana", grants=(each,))).has_counts for each in (PICTURE, BASIC, WHOLE)]
    assert counts == [False, True, True]


def test_a_grant_ends_when_it_expires() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert PICTURE.is_live(noon)
    ends = evolve(PICTURE, expires_at=noon)
    assert ends.is_live(noon - timedelta(microseconds=1))
    assert not ends.is_live(noon)
