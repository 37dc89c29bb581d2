"""The limits of one upload: the service's, narrowed by the policy that it is under."""

import attrs
from attrs import field, frozen

from imagegallery.policies.policy import Policy
from imagegallery.policies.registry import Policies
from imagegallery.uploads.session.policy import UploadPolicy
from imagegallery.uploads.session.session import UploadSession


@frozen
class UploadLimits:
    """``service`` are those of every upload, ``policies`` narrow them by name. A session is held to its policy as that
    is at each step, and in the end at ``complete``: the row has its name alone."""

    service: UploadPolicy
    policies: Policies = field(factory=Policies)

    def under(self, name: str | None) -> UploadPolicy:
        """The limits under the policy of this name. Raises `Conflict` if there is none any more."""
        return self.service if name is None else narrowed(self.service, self.policies.get(name))

    def of(self, session: UploadSession) -> UploadPolicy:
        """The limits of the session. Raises `Conflict` if its policy is there no more."""
        return self.under(session.policy)

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
