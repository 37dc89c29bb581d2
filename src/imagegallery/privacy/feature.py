"""The privacy feature: exports and erasures of all that is kept of an owner."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from imagegallery.access.authority import Authority
from imagegallery.feature import Closes, Feature, Resources
from imagegallery.images.image.closed_urls import ClosedUrls
from imagegallery.images.presentation.urls import ImageUrls
from imagegallery.policies import records as policy_records
from imagegallery.privacy import closing_records, export_records
from imagegallery.privacy.checks import StrayExports
from imagegallery.privacy.closing import Closing
from imagegallery.privacy.eraser import Eraser, ErasureConsumer, in_order
from imagegallery.privacy.erasure import ERASE
from imagegallery.privacy.erasure_service import ErasureService
from imagegallery.privacy.events import ErasureCancelled, ErasureRequested, ExportReady, OwnerErased
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
    closing = Closing(ClosedUrls(resources.services[ImageUrls], clock), lambda: _closes(resources), clock)
    return (
        ender,
        maker,
        ExportService(database, resources.store, resources.outbox, options, clock, authority, ender),
        ErasureService(database, resources.outbox, closing, options, clock, authority),
    )


def _closes(resources: Resources) -> Sequence[Closes]:
    return [close for feature in resources.features for close in feature.closes(resources)]


def _jobs(resources: Resources) -> Mapping[str, JobHandler]:
    erases = {feature.name: tuple(feature.erases(resources)) for feature in resources.features}
    eraser = Eraser(
        resources.database,
        resources.queue,
        resources.outbox,
        in_order(resources.features, erases),
        resources.options[PrivacyOptions],
        resources.clock,
    )
    return {EXPORT: resources.services[ExportMaker], ERASE: eraser}


def _periodic(resources: Resources) -> Iterable[Periodic]:
    yield Periodic("expired exports", resources.upkeep_interval, resources.services[ExportService].sweep)


FEATURE: Final = Feature(
    "privacy",
    options=PrivacyOptions,
    events=(ExportReady, ErasureRequested, ErasureCancelled, OwnerErased),
    services=_services,
    jobs=_jobs,
    apart=lambda _: {EXPORT: 1, ERASE: 1},
    periodic=_periodic,
    consumers=lambda _: (ErasureConsumer(),),
    checks=lambda resources, grace: (StrayExports(resources.database, resources.store, resources.clock, grace),),
    unclaimed=export_records.not_needed,
    holdings=(*queue_records.HELD, *policy_records.HELD, *export_records.HELD, *closing_records.HELD),
    erases=lambda resources: (resources.services[ExportEnder].erase,),
)
