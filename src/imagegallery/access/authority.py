"""Our decision, and after it the host's, which narrows it: what the host's own rules refuse is refused everywhere."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias, TypeVar
from uuid import UUID

import anyio
from attrs import define, frozen

from imagegallery.access.audience import Visibility
from imagegallery.access.decision import Facts, HasFacts, require
from imagegallery.access.permission import Permission
from imagegallery.errors import Forbidden, NotFound
from imagegallery.hooks import run_hook
from imagegallery.principal import Principal

Thing = TypeVar("Thing", bound=HasFacts)
AT_ONCE = 10
"""How many questions of one request the host is asked at once."""


@frozen
class AccessSubject:
    """What somebody wants to do something with: one ``image``, ``gallery``, ``upload`` or ``webhook``, by ``id``; or a
    list (``library``, ``galleries``, ``events``, ``webhooks``) of one owner's things, or of everybody's public ones
    (``owner_id`` is ``None``). ``visibility`` is what we decide by, of an image the most open one of itself and its
    galleries."""

    kind: str
    owner_id: str | None
    id: UUID | None = None
    visibility: Visibility = Visibility.PRIVATE

    @classmethod
    def of(cls, kind: str, id_: UUID, facts: Facts) -> "AccessSubject":
        return cls(kind, facts.owner_id, id_, facts.visibility)


May: TypeAlias = Callable[[Principal, Permission, AccessSubject], Awaitable[bool] | bool]
"""The host's own rule: whether a principal may do something that we would allow. It may be ``async``."""


@define(eq=False)
class Authority:
    """The one decision. Without a host's rule it is ours alone."""

    may: May | None = None

    def ask(self, may: May) -> None:
        """From now on ask the host, too. Raises `ValueError` if there is a rule already."""
        if self.may is not None:
            raise ValueError("The host's rule is given already: one function decides.")
        self.may = may

    @property
    def asks(self) -> bool:
        """Whether the host is asked: then what one principal may see says nothing about another."""
        return self.may is not None

    async def require(
        self, needed: Permission, principal: Principal, found: Thing | None, kind: str, id_: UUID
    ) -> Thing:
        """`imagegallery.access.decision.require`, by our rules and then the host's.

        Raises:
            NotFound: If there is nothing that the principal may see.
            Forbidden: If the principal may see it, but not do that.
            HookFailed: If the host's rule fails or takes too long.
        """
        thing = require(needed, principal, found, kind)
        await self.confirm(needed, principal, AccessSubject.of(kind, id_, thing.facts))
        return thing

    async def confirm(self, needed: Permission, principal: Principal, subject: AccessSubject) -> None:
        """The host's part of `require`, where ours is decided. Raises as it, and `Forbidden` for a list."""
        if await self._may(needed, principal, subject):
            return
        if subject.id is not None and (
            needed is Permission.VIEW or not await self._may(Permission.VIEW, principal, subject)
        ):
            raise NotFound.of(subject.kind)
        raise Forbidden("The rules of this application do not allow this.")

    async def allowed(
        self, needed: Permission, principal: Principal, subjects: Iterable[AccessSubject]
    ) -> set[UUID | None]:
        """The ids of those of these subjects with which the host allows that, several asked at once."""
        asked = list(subjects)
        if self.may is None:
            return {each.id for each in asked}
        found: set[UUID | None] = set()
        limit = anyio.CapacityLimiter(AT_ONCE)
        failures: list[Exception] = []

        async def ask(subject: AccessSubject) -> None:
            async with limit:
                try:
                    if await self._may(needed, principal, subject):
                        found.add(subject.id)
                except Exception as error:
                    failures.append(error)

        async with anyio.create_task_group() as tasks:
            for each in asked:
                tasks.start_soon(ask, each)
        if failures:
            raise failures[0]
        return found

    async def _may(self, needed: Permission, principal: Principal, subject: AccessSubject) -> bool:
        """Only ``True`` is a yes: a rule that forgets to answer allows nothing."""
        if self.may is None:
            return True
        answer: object = await run_hook("authorize", self.may, principal, needed, subject)
        return answer is True
