"""The audit feature: what was done that matters for security, kept for a while."""

from typing import Final

from imagegallery.access.authority import Authority
from imagegallery.audit import records
from imagegallery.audit.options import AuditOptions
from imagegallery.audit.service import AuditService
from imagegallery.feature import Feature, Resources
from imagegallery.queue.periodic import Periodic


def _service(resources: Resources) -> AuditService:
    options, authority = resources.options[AuditOptions], resources.registered[Authority]
    return AuditService(resources.database, options, resources.clock, authority)


FEATURE: Final = Feature(
    "audit",
    options=AuditOptions,
    services=lambda resources: (_service(resources),),
    holdings=records.HELD,
    erases=lambda _: (records.erase,),
    periodic=lambda resources: (
        Periodic("old audit entries", resources.upkeep_interval, resources.services[AuditService].prune),
    ),
)
