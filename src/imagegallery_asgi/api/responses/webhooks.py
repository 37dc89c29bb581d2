"""Documents of webhooks."""

from typing import Annotated
from uuid import UUID

from attrs import frozen

from imagegallery_asgi.framework.constraints import Moment, example


@frozen(slots=False)
class WebhookDocument:
    """``event_types`` empty: all. ``failures`` are attempts in a row; ``disabled_reason``: why it is not active."""

    id: UUID
    url: Annotated[str, example("https://example.org/hooks/images")]
    event_types: Annotated[tuple[str, ...], example(("image.ready", "image.failed"))]
    active: Annotated[bool, example(True)]
    disabled_reason: Annotated[str | None, example(None)]
    failures: Annotated[int, example(0)]
    created_at: Moment


@frozen(slots=False)
class CreatedWebhookDocument:
    """``secret`` verifies deliveries. It is only shown now."""

    webhook: WebhookDocument
    secret: Annotated[str, example("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
