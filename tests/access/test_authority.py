"""The host's rule narrows our decision, and never widens it."""

import re
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from tests.access.test_decision import ANA, CASES

import imagegallery
from imagegallery.access.authority import AccessSubject, Authority
from imagegallery.access.decision import Facts
from imagegallery.access.permission import Permission
from imagegallery.errors import Forbidden, HookFailed, NotFound
from imagegallery.principal import Principal

ID = UUID("01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52")
OTHER = UUID("01940c7e-77d0-7a11-9c3e-2f5d8b6a4e90")
Asked = list[tuple[Principal, Permission, AccessSubject]]


def ruled(allowed: Permission, asked: Asked | None = None) -> Authority:
    """A host that allows these permissions on anything."""

    async def may(principal: Principal, needed: Permission, subject: AccessSubject) -> bool:
        if asked is not None:
            asked.append((principal, needed, subject))
        return needed in allowed

    return Authority(may)


async def granted(authority: Authority, principal: Principal, facts: Facts) -> Permission:
    found = Permission.NONE
    for needed in Permission:
        try:
            await authority.require(needed, principal, facts, "image", ID)
        except (NotFound, Forbidden):
            continue
        found |= needed
    return found


@pytest.mark.parametrize(("principal", "facts", "may"), CASES)
async def test_what_both_allow_is_allowed(principal: Principal, facts: Facts, may: Permission) -> None:
    assert await granted(Authority(), principal, facts) == may
    for allowed in (Permission.NONE, Permission.VIEW, Permission.VIEW | Permission.EDIT, ~Permission.NONE):
        assert await granted(ruled(allowed), principal, facts) == may & allowed


@pytest.mark.parametrize(("principal", "facts", "may"), CASES)
async def test_it_is_asked_about_what_we_would_allow_alone(principal: Principal, facts: Facts, may: Permission) -> None:
    asked: Asked = []
    await granted(ruled(~Permission.NONE, asked), principal, facts)
    subject = AccessSubject("image", "ana", ID, facts.visibility)
    assert asked == [(principal, each, subject) for each in Permission if each in may]


@pytest.mark.parametrize(
    ("allowed", "needed", "refusal"),
    [
        (Permission.VIEW, Permission.EDIT, Forbidden),
        (Permission.NONE, Permission.EDIT, NotFound),
        (Permission.NONE, Permission.VIEW, NotFound),
        (Permission.EDIT, Permission.VIEW, NotFound),
    ],
)
async def test_what_it_refuses_is_forbidden_to_who_may_see_it_and_not_there_for_others(
    allowed: Permission, needed: Permission, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await ruled(allowed).require(needed, ANA, Facts("ana"), "image", ID)


async def test_a_list_that_it_refuses_is_forbidden() -> None:
    with pytest.raises(Forbidden, match="rules of this application"):
        await ruled(Permission.NONE).confirm(Permission.VIEW, ANA, AccessSubject("library", "ana"))
    await ruled(Permission.VIEW).confirm(Permission.VIEW, ANA, AccessSubject("library", "ana"))


@pytest.mark.parametrize("answer", [None, 1, "yes", object()])
async def test_only_true_is_a_yes(answer: object) -> None:
    authority = Authority(lambda *_: answer)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        await authority.require(Permission.VIEW, ANA, Facts("ana"), "image", ID)


def broken(error: Exception) -> Callable[..., bool]:
    def may(*_: object) -> bool:
        raise error

    return may


async def test_a_rule_that_fails_allows_nothing_and_its_own_words_are_told() -> None:
    with pytest.raises(HookFailed):
        await Authority(broken(KeyError("x"))).require(Permission.VIEW, ANA, Facts("ana"), "image", ID)
    with pytest.raises(Forbidden, match="Not on Sundays"):
        await Authority(broken(Forbidden("Not on Sundays."))).require(Permission.EDIT, ANA, Facts("ana"), "image", ID)
    with pytest.raises(HookFailed):
        await Authority(broken(KeyError("x"))).allowed(Permission.VIEW, ANA, [AccessSubject("image", "ana", ID)])


async def test_of_several_those_are_left_that_it_allows() -> None:
    async def may(_: Principal, __: Permission, subject: AccessSubject) -> bool:
        return subject.id == OTHER

    subjects = [AccessSubject("image", "ana", each) for each in (ID, OTHER)]
    assert await Authority(may).allowed(Permission.VIEW, ANA, subjects) == {OTHER}
    assert await Authority().allowed(Permission.VIEW, ANA, subjects) == {ID, OTHER}


def test_one_function_decides() -> None:
    authority = Authority()
    assert not authority.asks
    authority.ask(lambda *_: True)
    assert authority.asks
    with pytest.raises(ValueError, match="already"):
        authority.ask(lambda *_: True)


# What decides without the host, and why that is enough.
WITHOUT_THE_HOST = {
    "access/authority.py",  # which asks the host then
    "images/image/access.py",  # reads again what the host was asked about
    "galleries/service.py",  # likewise
    "webhooks/service.py",  # likewise
}


def test_whatever_requires_a_permission_asks_the_host() -> None:
    """Direct uses of our decision alone, which the host's rule would not narrow."""
    root = Path(str(imagegallery.__file__)).parent
    ours = re.compile(r"^from imagegallery\.access\.decision import .*\brequire\b", re.MULTILINE)
    found = {file.relative_to(root).as_posix() for file in root.rglob("*.py") if ours.search(file.read_text())}
    assert found == WITHOUT_THE_HOST
