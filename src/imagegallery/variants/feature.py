"""What variants bring: making them, at once and again."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from imagegallery.feature import Feature, Resources
from imagegallery.images.presentation.urls import ImageUrls
from imagegallery.images.presentation.variant_choice import Ladder
from imagegallery.queue.protocol import JobHandler
from imagegallery.reconciliation.finding import Phase
from imagegallery.variants import records
from imagegallery.variants.backfill import Backfill
from imagegallery.variants.checks import MissingObjects, StrayObjects
from imagegallery.variants.events import VariantReady
from imagegallery.variants.preset import VariantOptions
from imagegallery.variants.processing import Processing
from imagegallery.variants.service import VariantService


def _services(resources: Resources) -> Iterable[object]:
    options = resources.options[VariantOptions]
    presets = options.all_presets
    return (
        Ladder(options.ladder),
        VariantService(resources.engine, presets),
        Backfill(resources.database, resources.outbox, presets, resources.clock),
    )


def _jobs(resources: Resources) -> Mapping[str, JobHandler]:
    return Processing(
        resources.database,
        resources.store,
        resources.queue,
        resources.outbox,
        resources.engine,
        resources.scratch,
        resources.options[VariantOptions],
        resources.services[ImageUrls],
        resources.clock,
    ).handlers()


def _checks(resources: Resources, grace: timedelta) -> Iterable[Phase]:
    database, store, clock = resources.database, resources.store, resources.clock
    unclaimed = [feature.unclaimed for feature in resources.features if feature.unclaimed is not None]
    return (
        StrayObjects(database, store, clock, grace, unclaimed),
        MissingObjects(database, store, resources.outbox, clock),
    )


FEATURE: Final = Feature(
    "variants",
    options=VariantOptions,
    events=(VariantReady,),
    services=_services,
    jobs=_jobs,
    checks=_checks,
    unclaimed=records.without_row,
)
