"""Documents of the audit."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from attrs import frozen

from imagegallery.audit.entry import Act, ActorKind
from imagegallery.common.meta import JsonValue
from imagegallery_asgi.framework.constraints import Moment, example


@frozen(slots=False)
class ActorDocument:
    """``id`` is a user's, the share's whose link it was, or a guest's; operators and the system have none."""

    kind: Annotated[ActorKind, example("user")]
    id: Annotated[str | None, example("ben")]


@frozen(slots=False)
class AuditRecordDocument:
    """An act, by whom, and from where. ``grant`` is what allowed it: ``owner``, ``public``, ``share:`` with its id,
    ``role:`` with its name, ``operator`` or ``system``. ``subject`` is whatever else it was done to: a user, a group, a
    version. ``address`` is a network or a salted hash, never a whole address."""

    id: UUID
    happened_at: Moment
    act: Annotated[Act, example("image.original_downloaded")]
    actor: ActorDocument
    grant: Annotated[str, example("share:01940c7e-9c11-7d52-b0a4-5e1f7a2c3d60")]
    owner_id: Annotated[str | None, example("ana")]
    image_id: UUID | None
    gallery_id: UUID | None
    share_id: UUID | None
    subject: Annotated[str | None, example(None)]
    details: Annotated[Mapping[str, JsonValue], example({"from": "private", "to": "public"})]
    address: Annotated[str | None, example("203.0.113.0/24")]
    request_id: Annotated[str | None, example("01940c7e-8f2b-7c3d-9e4f-1a2b3c4d5e6f")]
    user_agent: Annotated[str | None, example("Mozilla/5.0")]
