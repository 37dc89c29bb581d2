"""Upkeep over the parts that a test has, without a whole gallery."""

from datetime import timedelta
from typing import Any

from imagegallery.access.authority import Authority
from imagegallery.clock import Clock
from imagegallery.common.background import TaskHealth
from imagegallery.database.pool import Database
from imagegallery.feature import ByClass, Resources
from imagegallery.gallery import EVENT_TYPES, FEATURES
from imagegallery.images.trash.service import TrashOptions, TrashService
from imagegallery.policies.registry import Policies
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.rates.limiter import UNLIMITED
from imagegallery.storage.protocol import ObjectStore
from imagegallery.storage.space import UnlimitedSpace
from imagegallery.upkeep.service import UpkeepService
from imagegallery.variants import feature as variants
from imagegallery.variants.preset import VariantOptions

_UNUSED: Any = None


def upkeep_of(database: Database, store: ObjectStore, queue: PostgresQueue, clock: Clock) -> UpkeepService:
    """With the checks of all features, and the default presets."""
    resources = Resources(
        features=FEATURES,
        event_types=EVENT_TYPES,
        options=ByClass(VariantOptions()),
        upkeep_interval=timedelta(minutes=1),
        database=database,
        store=store,
        downloads=None,
        private_urls=_UNUSED,
        folder_cookies=_UNUSED,
        own_cookies=_UNUSED,
        queue=queue,
        outbox=queue,
        relay=None,
        arrivals=None,
        engine=_UNUSED,
        scratch=_UNUSED,
        kept=_UNUSED,
        changes=_UNUSED,
        rates=UNLIMITED,
        policy=_UNUSED,
        space=UnlimitedSpace(),
        clock=clock,
        health=TaskHealth(),
        attendance=_UNUSED,
        registered=ByClass(Policies(), Authority()),
    )
    for service in variants.FEATURE.services(resources):
        resources.services.add(service)
    resources.services.add(TrashService(database, queue, _UNUSED, TrashOptions(), clock, _UNUSED))
    return UpkeepService(resources)
