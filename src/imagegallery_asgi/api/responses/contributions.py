"""Documents of what others added to galleries."""

from typing import Annotated
from uuid import UUID

from attrs import frozen

from imagegallery.contributions.contribution import ContributionState
from imagegallery_asgi.api.responses.images import ContributorDocument, ImageSummary
from imagegallery_asgi.framework.constraints import Moment, example


@frozen(slots=False)
class ContributionDocument:
    """An image that somebody added to another's gallery. ``share_id`` and ``gallery_id`` are ``null`` when they are
    gone. ``size`` is in bytes."""

    state: Annotated[ContributionState, example("pending")]
    added_by: ContributorDocument
    share_id: UUID | None
    gallery_id: UUID | None
    size: Annotated[int, example(3_481_204)]
    arrived_at: Moment
    image: ImageSummary


@frozen(slots=False)
class VerdictDocument:
    """The images of which it is ``done``, and those that are ``left`` as they are: they did not wait, or their gallery
    takes no more. ``has_more``: others wait still."""

    done: tuple[UUID, ...]
    left: Annotated[tuple[UUID, ...], example(())]
    has_more: Annotated[bool, example(False)]
