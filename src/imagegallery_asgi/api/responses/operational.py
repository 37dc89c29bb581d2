"""Whether the service lives, and can work."""

from typing import Annotated, Literal

from attrs import frozen

from imagegallery_asgi.framework.constraints import example


@frozen(slots=False)
class Health:
    status: Literal["ok"]


@frozen(slots=False)
class Readiness:
    """``warnings`` for operators, such as a disk that is almost full."""

    status: Literal["ok"]
    warnings: Annotated[tuple[str, ...], example(())]
