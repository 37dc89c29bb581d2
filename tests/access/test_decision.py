"""Who may do what: the table is the specification."""

import re
from collections.abc import Iterable
from itertools import chain, combinations
from pathlib import Path
from uuid import UUID

import pytest

import imagegallery
import imagegallery_asgi
from imagegallery.access.audience import Audience, Visibility
from imagegallery.access.decision import (
    Facts,
    audience,
    is_looked_up,
    is_public,
    may_gain,
    may_view,
    members,
    permissions,
    require,
    require_own,
    require_owner,
    require_role,
)
from imagegallery.access.grant import DownloadAllowed, Grant, MetadataShown
from imagegallery.access.permission import CONTRIBUTOR, EDITOR, OWNER, ROLES, VIEWER, Permission
from imagegallery.errors import Forbidden, NotFound, Unauthenticated
from imagegallery.principal import Principal, Role

ANA, BEN, NOBODY = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()
PUBLIC, UNLISTED, PRIVATE = Visibility.PUBLIC, Visibility.UNLISTED, Visibility.PRIVATE
NONE, VIEW, DELETE = Permission.NONE, Permission.VIEW, Permission.DELETE

# Visibility of Ana's thing, whether it is in the trash; what Ana, Ben and a visitor may do.
TABLE = [
    (PUBLIC, False, OWNER, VIEW, VIEW),
    (UNLISTED, False, OWNER, VIEW, VIEW),
    (PRIVATE, False, OWNER, NONE, NONE),
    (PUBLIC, True, DELETE, NONE, NONE),
    (UNLISTED, True, DELETE, NONE, NONE),
    (PRIVATE, True, DELETE, NONE, NONE),
]
CASES = [
    pytest.param(principal, Facts("ana", visibility, is_trashed=trashed), may, id=f"{visibility}-{trashed}-{name}")
    for visibility, trashed, *each in TABLE
    for (name, principal), may in zip((("owner", ANA), ("user", BEN), ("visitor", NOBODY)), each, strict=True)
]


@pytest.mark.parametrize(("principal", "facts", "may"), CASES)
def test_who_may_do_what(principal: Principal, facts: Facts, may: Permission) -> None:
    assert permissions(principal, facts) == may


@pytest.mark.parametrize("needed", Role)
@pytest.mark.parametrize("role", Role)
def test_a_role_is_enough_for_itself_and_lesser_ones(role: Role, needed: Role) -> None:
    user = Principal.user("ana", role=role)
    if role >= needed:
        assert require_role(needed, user) == "ana"
    else:
        with pytest.raises(Forbidden):
            require_role(needed, user)


@pytest.mark.parametrize("nobody", [NOBODY, Principal.by_link(UUID(int=1))], ids=["visitor", "link"])
def test_who_is_no_user_has_no_role(nobody: Principal) -> None:
    for needed in Role:
        with pytest.raises(Unauthenticated):
            require_role(needed, nobody)


@pytest.mark.parametrize(("principal", "facts", "may"), CASES)
def test_what_may_not_be_seen_is_not_there_and_the_rest_is_refused(
    principal: Principal, facts: Facts, may: Permission
) -> None:
    for needed in Permission:
        if needed in may:
            assert require(needed, principal, facts, "image") is facts
        else:
            with pytest.raises((NotFound, Forbidden)) as refused:
                require(needed, principal, facts, "image")
            assert type(refused.value) is (Forbidden if VIEW in may else NotFound)


@pytest.mark.parametrize(("principal", "facts", "may"), CASES)
def test_what_is_ones_own_is_no_more_than_the_owners(principal: Principal, facts: Facts, may: Permission) -> None:
    """Not even what everybody sees: an id in a form tells nothing."""
    if may == OWNER:
        assert require_own(principal, facts, "image") is facts
    else:
        with pytest.raises(NotFound):
            require_own(principal, facts, "image")


def test_who_needs_no_permission_sees_no_more_for_it() -> None:
    with pytest.raises(NotFound):
        require(NONE, BEN, Facts("ana"), "image")


def test_what_is_not_there_is_refused_in_the_same_words() -> None:
    said = []
    for facts in (None, Facts("ana")):
        with pytest.raises(NotFound) as refused:
            require(Permission.EDIT, BEN, facts, "image")
        said.append(refused.value.message)
    assert said == ["There is no such image."] * 2


def test_a_visitor_is_nobodys_owner() -> None:
    assert audience(NOBODY, Facts("")) is None
    assert audience(NOBODY, Facts("None")) is None


@pytest.mark.parametrize(("principal", "facts", "may"), CASES)
def test_those_of_one_audience_may_do_the_same(principal: Principal, facts: Facts, may: Permission) -> None:
    """So that a page that is kept for one of them may be shown to all."""
    others = {Audience.OWNER: ANA, Audience.PUBLIC: BEN}.get(audience(principal, facts) or Audience.SHARED)
    assert may == (NONE if others is None else permissions(others, facts))
    assert is_public(facts) is (permissions(NOBODY, facts) == VIEW)


SHARE = UUID("01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52")
LINK = Principal.by_link(SHARE)
ADD, EDIT, DOWNLOAD = Permission.ADD_IMAGES, Permission.EDIT, Permission.DOWNLOAD
ORIGINAL = DownloadAllowed.ORIGINAL


def grant(
    allowed: Permission,
    metadata: MetadataShown = MetadataShown.BASIC,
    download: DownloadAllowed = DownloadAllowed.NONE,
) -> Grant:
    return Grant(SHARE, allowed, metadata, download)


# What shares grant on Ana's thing, and what that lets somebody do who has them, beside what everybody may.
GRANTED: list[tuple[tuple[Grant, ...], Permission]] = [
    ((), NONE),
    ((grant(VIEW),), VIEW),
    ((grant(VIEW), grant(VIEW)), VIEW),
    ((grant(VIEW), grant(VIEW | ADD)), VIEW | ADD),
    ((grant(VIEW | EDIT), grant(ADD)), VIEW | EDIT | ADD),
    ((grant(ADD),), ADD),
    ((grant(VIEWER),), VIEW),
    ((grant(VIEWER, download=DownloadAllowed.VARIANT),), VIEW),
    ((grant(VIEWER, download=ORIGINAL),), VIEWER),
    ((grant(VIEW, download=ORIGINAL),), VIEW),
    ((grant(DOWNLOAD, download=ORIGINAL), grant(VIEW)), VIEW),
    ((grant(VIEWER), grant(VIEW, download=ORIGINAL)), VIEW),
    ((grant(OWNER, download=ORIGINAL),), OWNER),
]


@pytest.mark.parametrize("principal", [BEN, LINK], ids=["recipient", "link"])
@pytest.mark.parametrize("visibility", Visibility)
@pytest.mark.parametrize(("grants", "may"), GRANTED)
def test_grants_add_up(
    principal: Principal, visibility: Visibility, grants: tuple[Grant, ...], may: Permission
) -> None:
    facts = Facts("ana", visibility, grants=grants)
    everybody = permissions(NOBODY, Facts("ana", visibility))
    assert permissions(principal, facts) == may | everybody
    assert permissions(principal, Facts("ana", visibility, grants=grants[::-1])) == may | everybody
    assert may_view(principal, facts) is (VIEW in may | everybody)
    if VIEW in may:
        assert audience(principal, facts) is Audience.SHARED
    else:
        assert audience(principal, facts) is (Audience.PUBLIC if everybody else None)


@pytest.mark.parametrize("visibility", Visibility)
@pytest.mark.parametrize(("grants", "may"), GRANTED)
def test_grants_change_nothing_for_the_owner_nor_for_nobody_nor_in_the_trash(
    visibility: Visibility, grants: tuple[Grant, ...], may: Permission
) -> None:
    facts, without = Facts("ana", visibility, grants=grants), Facts("ana", visibility)
    assert permissions(ANA, facts) == OWNER
    assert permissions(NOBODY, facts) == permissions(NOBODY, without)
    assert is_public(facts) is is_public(without)
    for principal in (BEN, LINK):
        trashed = Facts("ana", visibility, is_trashed=True, grants=grants)
        assert permissions(principal, trashed) == NONE
        assert audience(principal, trashed) is None


def every_subset(grants: Iterable[Grant]) -> Iterable[tuple[Grant, ...]]:
    each = list(grants)
    return chain.from_iterable(combinations(each, size) for size in range(len(each) + 1))


def test_a_grant_more_never_takes_anything() -> None:
    every = [grant(VIEW), grant(ADD), grant(VIEWER, download=ORIGINAL), grant(DOWNLOAD), grant(VIEW | EDIT)]
    for some in every_subset(every):
        for more in every:
            facts, richer = Facts("ana", grants=some), Facts("ana", grants=(*some, more))
            assert permissions(BEN, facts) in permissions(BEN, richer)


def test_grants_are_asked_for_only_where_they_could_give_something() -> None:
    assert may_gain(BEN, Facts("ana"))
    assert may_gain(LINK, Facts("ana"))
    assert may_gain(BEN, Facts("ana", PUBLIC)), "a share may show more than everybody sees"
    assert not may_gain(ANA, Facts("ana"))
    assert not may_gain(NOBODY, Facts("ana"))
    assert not may_gain(BEN, Facts("ana", is_trashed=True))


def test_grants_are_read_of_all_that_may_not_be_there() -> None:
    hidden = (None, Facts("ana"), Facts("ana", is_shared=False), Facts("ana", PUBLIC, is_trashed=True))
    for facts in hidden:
        assert is_looked_up(BEN, facts)
        assert is_looked_up(LINK, facts)
        assert not is_looked_up(NOBODY, facts)
    assert not any(is_looked_up(ANA, facts) for facts in hidden[1:])
    assert is_looked_up(BEN, Facts("ana", PUBLIC))
    assert not is_looked_up(BEN, Facts("ana", PUBLIC, is_shared=False))


def test_what_no_share_can_allow_is_its_owners() -> None:
    everything = Facts("ana", grants=(grant(OWNER, download=ORIGINAL),))
    require_owner(ANA, everything, "image")
    for principal in (BEN, LINK):
        assert require(Permission.DELETE, principal, everything, "image") is everything
        with pytest.raises(Forbidden, match="Only its owner"):
            require_owner(principal, everything, "image")
        with pytest.raises(NotFound):
            require_own(principal, everything, "image")


def test_who_came_by_a_link_is_known_and_no_user() -> None:
    ANA.require_known()
    LINK.require_known()
    with pytest.raises(Unauthenticated):
        NOBODY.require_known()
    with pytest.raises(Unauthenticated):
        LINK.require_user()


@pytest.mark.parametrize("visibility", Visibility)
def test_its_members_hear_of_it_and_nobody_else_however_open_it_is(visibility: Visibility) -> None:
    facts = Facts("ana", visibility)
    assert members(facts) == {"ana"}
    assert all(Permission.VIEW in permissions(Principal.user(each), facts) for each in members(facts))


@pytest.mark.parametrize("visibility", Visibility)
def test_facts_can_be_kept(visibility: Visibility) -> None:
    facts = Facts("someone with blanks", visibility)
    assert Facts.from_bytes(facts.to_bytes()) == facts


def test_roles_are_each_more_than_the_one_before() -> None:
    assert list(ROLES.values()) == [VIEWER, CONTRIBUTOR, EDITOR, OWNER]
    assert all(
        less in more and less != more for less, more in zip(ROLES.values(), list(ROLES.values())[1:], strict=False)
    )
    assert set(OWNER) == set(Permission)


# What would decide by itself: an owner compared, or a visibility in SQL or in Python.
DECISIONS = re.compile(
    r"\.owns\(|\.is_open\b(?!\()|visibility\s*(<>|!=|=|==|is|is not)\s*('private'|'public'|Visibility\.)"
    r"|user_id == \w+\.owner_id|(session|image|gallery|webhook)\.owner_id [!=]= "
)
# A gallery or an image that becomes private, all of an owner who erases it, exports that are open, a key that may tell
# a listed gallery, what proxies may keep of a page, and defaults that Django's migrations need not say.
NO_DECISIONS = {
    "cli/commands/owners.py": 1,
    "privacy/closing_records.py": 8,
    "privacy/export_maker.py": 1,
    "privacy/export_service.py": 1,
    "galleries/service.py": 1,
    "galleries/pages.py": 1,
    "images/service.py": 1,
    "uploads/session/opener.py": 1,
    "hosts/django/reference.py": 1,
}


def test_nothing_else_decides() -> None:
    found: dict[str, int] = {}
    for package in (imagegallery, imagegallery_asgi):
        root = Path(str(package.__file__)).parent
        for file in root.rglob("*.py"):
            name = file.relative_to(root).as_posix()
            if not name.startswith(("access/", "testing/")) and (matches := DECISIONS.findall(file.read_text())):
                found[name] = len(matches)
    assert found == NO_DECISIONS
