"""The URL table, one file a package, and nothing else. Paths are below the API's prefix."""

from imagegallery_asgi.routes import (
    events,
    files,
    galleries,
    images,
    me,
    operational,
    resumable,
    uploads,
    uppy,
    webhooks,
    website,
)

OPERATIONAL = (*operational.OPERATIONS, *operational.METRICS)
WEBSITE = website.OPERATIONS
OPERATIONS = (
    *galleries.OPERATIONS,
    *uploads.OPERATIONS,
    *resumable.OPERATIONS,
    *uppy.OPERATIONS,
    *images.OPERATIONS,
    *events.OPERATIONS,
    *webhooks.OPERATIONS,
    *me.OPERATIONS,
    *files.OPERATIONS,
    *operational.OPERATIONS,
)
