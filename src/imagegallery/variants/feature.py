"""The variants feature: making them, and making them again."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from imagegallery.analyses.catalogue import ANALYSES
from imagegallery.feature import Feature, Resources
from imagegallery.images.presentation.urls import ImageUrls
from imagegallery.images.presentation.variant_choice import Ladder
from imagegallery.policies.registry import Policies
from imagegallery.queue.protocol import JobHandler
from imagegallery.reconciliation.finding import Phase
from imagegallery.variants import records
from imagegallery.variants.backfill import Backfill
from imagegallery.variants.checks import MissingObjects, StrayObjects
from imagegallery.variants.events import VariantReady
from imagegallery.variants.preset import VariantOptions
from imagegallery.variants.processing import Processing
from imagegallery.variants.service import VariantService
from imagegallery.variants.work import Recipes


def _recipes(resources: Resources) -> Recipes:
    return Recipes(resources.options[VariantOptions].all_presets, ANALYSES, resources.registered[Policies])


def _services(resources: Resources) -> Iterable[object]:
    options = resources.options[VariantOptions]
    resources.registered[Policies].check_presets(options.ladder)
    return (
        Ladder(options.ladder),
        VariantService(resources.engine, options.all_presets),
        Backfill(resources.database, resources.outbox, _recipes(resources), resources.clock),
    )


def _jobs(resources: Resources) -> Mapping[str, JobHandler]:
    return Processing(
        resources.database,
        resources.store,
        resources.queue,
        resources.outbox,
        resources.engine,
        resources.scratch,
        _recipes(resources),
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
