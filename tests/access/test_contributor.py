"""Who adds to another's gallery: told apart from all others, and what they may do while it is under way."""

import pytest

from imagegallery.access.audience import Audience
from imagegallery.access.contributor import Contributor, ContributorKind, sender_of
from imagegallery.access.decision import (
    Facts,
    audience,
    is_public,
    may_gain,
    permissions,
    require_contributor,
    require_own,
)
from imagegallery.access.disclosure import disclosure
from imagegallery.access.grant import DownloadAllowed, Grant, MetadataShown
from imagegallery.access.permission import EDITOR, OWNER, VIEWER, Permission
from imagegallery.errors import NameRequired, NotFound, Unauthenticated
from imagegallery.ids import new_id
from imagegallery.principal import Principal

ANA, BEN, NOBODY = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()
SHARE, INES_ID = new_id(), new_id()
INES, TOM = Principal.by_link(SHARE, INES_ID, "Inês"), Principal.by_link(SHARE, new_id(), "Tom")
NAMELESS = Principal.by_link(SHARE)
GRANT = Grant(SHARE, EDITOR, MetadataShown.ALL, DownloadAllowed.ORIGINAL)


def test_a_contributor_is_read_as_written_and_is_one_alone() -> None:
    for who in (BEN, INES):
        contributor = Contributor.of(who)
        assert Contributor.from_text(str(contributor), contributor.name) == contributor
        assert [each for each in (ANA, BEN, INES, TOM, NAMELESS, NOBODY) if contributor.is_same(each)] == [who]
    assert Contributor.of(INES).kind is ContributorKind.GUEST
    assert Contributor.of(Principal.by_link(SHARE, INES_ID, "X")) == Contributor.of(INES)  # whatever the name
    with pytest.raises(NameRequired):
        Contributor.of(NAMELESS)
    with pytest.raises(Unauthenticated):
        Contributor.of(NOBODY)


def test_no_user_can_be_called_like_a_guest() -> None:
    guest = sender_of(INES)
    assert guest not in {sender_of(BEN), sender_of(TOM)}
    with pytest.raises(ValueError, match="printable"):
        Principal.user(guest)


@pytest.mark.parametrize("who", [BEN, INES], ids=["recipient", "guest"])
def test_what_waits_is_seen_by_its_owner_and_who_added_it_alone(who: Principal) -> None:
    facts = Facts("ana", contributor=Contributor.of(who), is_pending=True, grants=(GRANT,))
    allowed = {each: permissions(each, facts) for each in (ANA, BEN, INES, TOM, NAMELESS, NOBODY)}
    assert {each: given for each, given in allowed.items() if given} == {ANA: VIEWER, who: Permission.VIEW}
    assert not any(may_gain(each, facts) for each in allowed)
    assert not is_public(facts)
    assert (audience(ANA, facts), audience(who, facts)) == (Audience.OWNER, Audience.SHARED)
    shown = disclosure(who, Facts("ana", contributor=Contributor.of(who), is_pending=True))
    assert (shown.metadata, shown.download) == (MetadataShown.BASIC, DownloadAllowed.NONE)  # it is theirs
    with pytest.raises(NotFound):
        require_own(ANA, facts, "image")


@pytest.mark.parametrize("who", [BEN, INES], ids=["recipient", "guest"])
def test_an_upload_is_its_owners_and_who_sends_it(who: Principal) -> None:
    facts = Facts("ana", contributor=Contributor.of(who), grants=(GRANT,))
    allowed = {each: permissions(each, facts) for each in (ANA, BEN, INES, TOM, NAMELESS, NOBODY)}
    assert {each: given for each, given in allowed.items() if given} == {ANA: OWNER, who: OWNER}
    assert require_contributor(who, facts, "image") is facts
    for other in allowed.keys() - {who}:
        with pytest.raises(NotFound):
            require_contributor(other, facts, "image")
