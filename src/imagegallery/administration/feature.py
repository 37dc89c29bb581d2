"""The administration feature: what administrators see and govern at run time."""

from collections.abc import Iterable
from typing import Final

from imagegallery.access.authority import Authority
from imagegallery.access.disclosure import MetaOptions
from imagegallery.administration.dead_jobs import DeadJobs
from imagegallery.administration.health import HealthExamination
from imagegallery.administration.job_service import JobService
from imagegallery.administration.policy_history import PolicyHistory
from imagegallery.administration.service import AdministrationService
from imagegallery.feature import Feature, Resources
from imagegallery.policies.admin_policy import AdministrationOptions


def _services(resources: Resources) -> Iterable[object]:
    policy = resources.policy
    database, clock, authority = resources.database, resources.clock, resources.registered[Authority]
    history = PolicyHistory(database, policy.settings, clock, policy.forget)
    indexed = resources.options[MetaOptions].indexed
    examination = HealthExamination(database, resources.store, resources.space, resources.health, indexed, clock)
    jobs = JobService(database, DeadJobs(database, clock), authority)
    return (AdministrationService(history, examination, jobs, authority),)


FEATURE: Final = Feature("administration", options=AdministrationOptions, services=_services)
