"""The administration feature: what administrators govern at run time."""

from collections.abc import Iterable
from typing import Final

from imagegallery.access.authority import Authority
from imagegallery.administration.policy_history import PolicyHistory
from imagegallery.administration.service import AdministrationService
from imagegallery.feature import Feature, Resources
from imagegallery.policies.admin_policy import AdministrationOptions


def _services(resources: Resources) -> Iterable[object]:
    policy = resources.policy
    history = PolicyHistory(resources.database, policy.settings, resources.clock, policy.forget)
    return (AdministrationService(history, resources.registered[Authority]),)


FEATURE: Final = Feature("administration", options=AdministrationOptions, services=_services)
