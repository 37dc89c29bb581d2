"""The privacy feature: exports and erasures of all that is kept of an owner."""

from collections.abc import Iterable, Mapping
from typing import Final

from imagegallery.access.authority import Authority
from imagegallery.feature import Feature, Resources
from imagegallery.privacy import export_records
from imagegallery.privacy.checks import StrayExports
from imagegallery.privacy.events import ExportReady
from imagegallery.privacy.export import EXPORT
from imagegallery.privacy.export_end import ExportEnder
from imagegallery.privacy.export_maker import ExportMaker
from imagegallery.privacy.export_service import ExportService
from imagegallery.privacy.options import PrivacyOptions
from imagegallery.queue import records as queue_records
from imagegallery.queue.periodic import Periodic
from imagegallery.queue.protocol import JobHandler


def _services(resources: Resources) -> Iterable[object]:
    database, clock, options = resources.database, resources.clock, resources.options[PrivacyOptions]
    ender = ExportEnder(database, resources.store, resources.outbox, clock)
    maker = ExportMaker(database, resources.store, resources.queue, resources.features, options, clock, ender)
    authority = resources.registered[Authority]
    return maker, ExportService(database, resources.store, resources.outbox, options, clock, authority, ender)


def _jobs(resources: Resources) -> Mapping[str, JobHandler]:
    return {EXPORT: resources.services[ExportMaker]}


def _periodic(resources: Resources) -> Iterable[Periodic]:
    yield Periodic("expired exports", resources.upkeep_interval, resources.services[ExportService].sweep)


FEATURE: Final = Feature(
    "privacy",
    options=PrivacyOptions,
    events=(ExportReady,),
    services=_services,
    jobs=_jobs,
    apart=lambda _: {EXPORT: 1},
    periodic=_periodic,
    checks=lambda resources, grace: (StrayExports(resources.database, resources.store, resources.clock, grace),),
    unclaimed=export_records.not_needed,
    holdings=(*queue_records.HELD, *export_records.HELD),
)
