"""Documents for administrators: the policy, and how the service is."""

from typing import Annotated

from attrs import frozen
from msgspec import Meta

from imagegallery import Visibility
from imagegallery.administration.storage import StorageState
from imagegallery.policies.admin_policy import Originals
from imagegallery.upkeep.check import Level
from imagegallery_asgi.api.responses.common import RulesDocument
from imagegallery_asgi.framework.constraints import Moment, example


@frozen(slots=False)
class AdminPolicyDocument:
    """What holds for everybody now. ``null`` is no limit; the sizes are bytes."""

    allowed_types: Annotated[tuple[str, ...], example(("image/jpeg", "image/png"))]
    max_size: Annotated[int, example(20_000_000)]
    storage_limit: Annotated[int | None, example(5_000_000_000)]
    visitor_rate: Annotated[str | None, example("600/minute")]
    user_rate: Annotated[str | None, example(None)]
    upload_rate: Annotated[str | None, example("1000/hour")]
    originals: Annotated[Originals, example("strip_place")]
    default_visibility: Annotated[Visibility, example("private")]
    guest_uploads: Annotated[bool, example(False)]
    hotlinks: Annotated[bool, example(True)]


@frozen(slots=False)
class StandingPolicyDocument:
    """``rules`` are those of the last ``version``, in front of the settings; ``in_force`` is what comes of both.
    Version 0 has no rules and is as old as time: the settings hold."""

    version: Annotated[int, example(3)]
    rules: RulesDocument
    in_force: AdminPolicyDocument
    changed_by: Annotated[str, example("ana")]
    why: Annotated[str, example("Phones send places that nobody meant to tell.")]
    updated_at: Moment


@frozen(slots=False)
class PolicyVersionDocument:
    """``restores`` is the number of the earlier version whose rules these are again."""

    number: Annotated[int, example(3)]
    rules: RulesDocument
    changed_by: Annotated[str, example("ana")]
    why: Annotated[str, example("Phones send places that nobody meant to tell.")]
    restores: Annotated[int | None, example(None)]
    created_at: Moment


@frozen(slots=False)
class CheckDocument:
    """What was found about one part of the service, and what to do about it unless it is in order."""

    name: Annotated[str, example("worker")]
    level: Annotated[Level, example("warning")]
    detail: Annotated[str, example("a job has been due for 17 minutes")]
    remedy: Annotated[str | None, example("run `imagegallery worker`, or more of them")]


@frozen(slots=False)
class HealthReport:
    """``level`` is the worst of all checks."""

    level: Annotated[Level, example("warning")]
    checks: tuple[CheckDocument, ...]


@frozen(slots=False)
class StoredDocument:
    """``count`` things with all their ``bytes``; one that is not exact is estimated from a part of them. ``images`` are
    in use, ``processing`` ones have no variants yet, ``failed`` ones never will, ``trash`` waits for its end,
    ``variants`` are renderings, and ``incoming`` is what uploads under way have announced."""

    state: Annotated[StorageState, example("images")]
    count: Annotated[int, example(12_408)]
    bytes: Annotated[int, example(41_203_112_960)]
    is_exact: Annotated[bool, example(True)]


@frozen(slots=False)
class DayDocument:
    """The images that came on a day (UTC) and are there still."""

    day: Annotated[str, Meta(extra_json_schema={"format": "date"}), example("2026-11-30")]
    images: Annotated[int, example(214)]
    bytes: Annotated[int, example(702_114_816)]


@frozen(slots=False)
class StorageDocument:
    """``used`` are the bytes of originals as they count for their owners: one that several images share counts once.
    ``growth`` has the days of the last 30 on which images came."""

    owners: Annotated[int, example(37)]
    used: Annotated[int, example(41_190_400_000)]
    is_exact: Annotated[bool, example(True)]
    states: tuple[StoredDocument, ...]
    growth: tuple[DayDocument, ...]


@frozen(slots=False)
class OwnerDocument:
    """In bytes. A ``storage_limit`` of ``null`` is the policy's, if it has one."""

    owner_id: Annotated[str, example("ana")]
    storage_used: Annotated[int, example(734_003_200)]
    storage_limit: Annotated[int | None, example(10_737_418_240)]
