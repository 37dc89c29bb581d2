"""The uploads feature: every transport, and the cleanup of unfinished uploads."""

from collections.abc import Iterable
from typing import Final

import attrs

from imagegallery.feature import Feature, Resources
from imagegallery.images.events import ImageUploaded
from imagegallery.images.service import ImageService
from imagegallery.policies.registry import Policies
from imagegallery.queue.periodic import RETRY_PAUSE, Periodic
from imagegallery.storage.options import StorageOptions
from imagegallery.storage.protocol import LocalObjects, ObjectStore
from imagegallery.uploads.bucket_events.arrivals import Arrivals
from imagegallery.uploads.checks import StrayUploads
from imagegallery.uploads.erasure import UploadErasure
from imagegallery.uploads.service import UploadService
from imagegallery.uploads.session import records
from imagegallery.uploads.session.policy import UploadPolicy, Verify


def _services(resources: Resources) -> Iterable[object]:
    return (
        UploadService(
            resources.database,
            resources.store,
            resources.engine,
            resources.outbox,
            resources.scratch,
            resources.services[ImageService],
            settled(resources.options[UploadPolicy], resources.store),
            resources.clock,
            resources.rates,
            resources.space,
            resources.registered[Policies],
            resources.policy,
        ),
    )


def settled(policy: UploadPolicy, store: ObjectStore) -> UploadPolicy:
    """The policy with what follows from the store: what is elsewhere is not fetched to be looked at."""
    verify = policy.verify or (Verify.FULL if isinstance(store, LocalObjects) else Verify.HEAD)
    return attrs.evolve(policy, verify=verify)


def _periodic(resources: Resources) -> Iterable[Periodic]:
    uploads, bucket = resources.services[UploadService], resources.options[StorageOptions].s3
    yield Periodic("expired uploads", resources.upkeep_interval, uploads.sweep)
    if resources.arrivals is not None and bucket.bucket is not None:
        arrivals = Arrivals(resources.arrivals, uploads.server, bucket=bucket.bucket, prefix=bucket.prefix)
        yield Periodic("uploads that arrived", RETRY_PAUSE, arrivals.run, in_every_worker=True)


FEATURE: Final = Feature(
    "uploads",
    options=UploadPolicy,
    events=(ImageUploaded,),
    services=_services,
    periodic=_periodic,
    checks=lambda resources, grace: (StrayUploads(resources.database, resources.store, resources.clock, grace),),
    unclaimed=records.not_awaited,
    holdings=records.HELD,
    erases=lambda resources: (UploadErasure(resources.store, resources.clock),),
)
