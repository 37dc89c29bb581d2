"""Who may do what: the table is the specification."""

import re
from pathlib import Path

import pytest

import imagegallery
import imagegallery_asgi
from imagegallery.access.audience import Audience, Visibility
from imagegallery.access.decision import Facts, audience, is_public, members, permissions, require, require_own
from imagegallery.access.permission import CONTRIBUTOR, EDITOR, OWNER, ROLES, VIEWER, Permission
from imagegallery.errors import Forbidden, NotFound
from imagegallery.principal import Principal

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
    others = {Audience.OWNER: ANA, Audience.PUBLIC: BEN, None: None}[audience(principal, facts)]
    assert may == (NONE if others is None else permissions(others, facts))
    assert is_public(facts) is (permissions(NOBODY, facts) == VIEW)


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
# A gallery or an image that becomes private, a key that may tell a listed gallery, what proxies may keep of a page, and
# defaults that Django's migrations need not say.
NO_DECISIONS = {
    "galleries/service.py": 1,
    "galleries/pages.py": 1,
    "images/service.py": 1,
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
