"""Documents of tags."""

from typing import Annotated
from uuid import UUID

from attrs import frozen

from imagegallery_asgi.framework.constraints import example


@frozen(slots=False)
class TagDocument:
    """A tag, and how many images outside of the trash have it."""

    id: UUID
    name: Annotated[str, example("tram")]
    image_count: Annotated[int, example(28)]
