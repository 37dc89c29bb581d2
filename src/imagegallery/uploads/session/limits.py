"""The limits of one upload: the service's, as administrators have them now, narrowed by the policy that it is under."""

from functools import lru_cache

import attrs
from attrs import field, frozen

from imagegallery.access.contributor import Contributor, ContributorKind
from imagegallery.errors import Forbidden
from imagegallery.imaging.protocol import Removal
from imagegallery.policies.admin_policy import AdminPolicy, Originals
from imagegallery.policies.in_force import PolicyInForce
from imagegallery.policies.policy import Policy
from imagegallery.policies.registry import Policies
from imagegallery.uploads.session.policy import UploadPolicy
from imagegallery.uploads.session.session import UploadSession


@frozen
class UploadLimits:
    """``settings`` are those of every upload, in which administrators may ``govern`` some at run time; ``policies``
    narrow them by name. A session is held to its policy as that is at each step, and in the end at ``complete``: the
    row has its name alone."""

    settings: UploadPolicy
    policies: Policies = field(factory=Policies)
    governing: PolicyInForce | None = None

    async def renew(self) -> None:
        """Make sure that all below is as administrators have it now; before a transaction begins."""
        if self.governing is not None:
            await self.governing.get()

    @property
    def service(self) -> UploadPolicy:
        """The limits of every upload."""
        return self.settings if self.governing is None else governed(self.settings, self.governing.latest)

    def removal(self, session: UploadSession) -> Removal | None:
        """What of its own metadata an original is kept without: what an earlier attempt has begun to remove, otherwise
        what administrators say now; ``None``: nothing."""
        if session.removed_metadata is not None or self.governing is None:
            return session.removed_metadata
        originals = self.governing.latest.originals
        return None if originals is Originals.KEEP else Removal(originals)

    def under(self, name: str | None) -> UploadPolicy:
        """The limits under the policy of this name. Raises `Conflict` if there is none any more."""
        return self.service if name is None else narrowed(self.service, self.policies.get(name))

    def of(self, session: UploadSession) -> UploadPolicy:
        """The limits of the session. Raises `Conflict` if its policy is there no more."""
        return self.under(session.policy)

    @property
    def take_guests(self) -> bool:
        """Whether administrators let guests upload."""
        return self.governing is None or self.governing.latest.guest_uploads

    def check_contributor(self, contributor: Contributor) -> None:
        """Raise `Forbidden` for a guest, unless administrators let guests upload."""
        if contributor.kind is ContributorKind.GUEST and not self.take_guests:
            raise Forbidden("This service takes no uploads of guests.")

    def told(self, name: str | None) -> Policy:
        """The policy of this name with the service's limits where it has none of its own, for those who want to know
        beforehand. Raises `Conflict` as `under`."""
        limits = self.under(name)
        return attrs.evolve(
            self.policies.get(name),
            types=limits.allowed_types,
            max_size=limits.max_size,
            on_duplicate=limits.on_duplicate,
            strict=limits.strict,
        )


@lru_cache(maxsize=16)
def governed(settings: UploadPolicy, policy: AdminPolicy) -> UploadPolicy:
    """The limits that the settings say as administrators have them. Pure."""
    return attrs.evolve(
        settings,
        allowed_types=tuple(each for each in settings.allowed_types if each in policy.allowed_types),
        max_size=min(settings.max_size, policy.max_size),
        storage_limit=policy.storage_limit,
    )


def narrowed(service: UploadPolicy, policy: Policy) -> UploadPolicy:
    """The service's limits with those of the policy, where they are narrower. Pure."""
    types = tuple(each for each in service.allowed_types if not policy.types or each in policy.types)
    return attrs.evolve(
        service,
        allowed_types=types,
        max_size=service.max_size if policy.max_size is None else min(service.max_size, policy.max_size),
        on_duplicate=policy.on_duplicate or service.on_duplicate,
        strict=service.strict or policy.strict,
    )
