"""Every operation there is, one table a file of handlers: paths below the API's prefix, and those at the root."""

from imagegallery_asgi.api import (
    duplicates,
    events,
    files,
    galleries,
    images,
    me,
    operational,
    policies,
    uploads,
    webhooks,
)
from imagegallery_asgi.resumable import handlers as resumable
from imagegallery_asgi.uppy import handlers as uppy
from imagegallery_asgi.website import pages

OPERATIONS = (
    *galleries.OPERATIONS,
    *uploads.OPERATIONS,
    *policies.OPERATIONS,
    *resumable.OPERATIONS,
    *uppy.OPERATIONS,
    *images.OPERATIONS,
    *duplicates.OPERATIONS,
    *events.OPERATIONS,
    *webhooks.OPERATIONS,
    *me.OPERATIONS,
    *files.OPERATIONS,
    *operational.OPERATIONS,
)
# How the service itself is has an address at the root, too: what a proxy keeps back has one.
OPERATIONAL = (*operational.OPERATIONS, *operational.METRICS)
WEBSITE = tuple(pages.OPERATIONS)
