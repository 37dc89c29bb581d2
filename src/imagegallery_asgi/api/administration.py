"""What administrators see and govern at run time: health, storage, and one policy for the whole service."""

from typing import Annotated

from msgspec import Meta
from starlette.responses import Response

from imagegallery import NotFound, Permission, Role
from imagegallery.administration.policy_history import StandingPolicy
from imagegallery.upkeep.check import Level
from imagegallery_asgi.api.documents import cursor_pagination, document
from imagegallery_asgi.api.pages import condition, page_answers, tag_of, unkept_response
from imagegallery_asgi.api.requests import (
    MAX_SAFE_INTEGER,
    ChangePolicy,
    OwnersQuery,
    PolicyVersionsQuery,
    RestorePolicy,
)
from imagegallery_asgi.api.responses.administration import (
    AdminPolicyDocument,
    CheckDocument,
    DayDocument,
    HealthReport,
    OwnerDocument,
    PolicyVersionDocument,
    StandingPolicyDocument,
    StorageDocument,
    StoredDocument,
)
from imagegallery_asgi.api.responses.common import CursorList, One
from imagegallery_asgi.framework.constraints import example
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.operations import Operation, declaring

VersionNumber = Annotated[int, Meta(ge=0, le=MAX_SAFE_INTEGER), example(2)]

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)


@operation(
    "GET",
    "/admin/policy",
    "The policy that holds now",
    answers=page_answers(One[StandingPolicyDocument]),
    holds_conditions=True,
    permission=Permission.NONE,
    role=Role.ADMIN,
)
async def get_policy(call: Call) -> Response:
    standing = await call.gallery.administration.policy(call.principal)
    return unkept_response(call, _document(standing), updated_at=standing.updated_at)


@operation(
    "PATCH",
    "/admin/policy",
    "Change some rules, for everybody and at once",
    holds_conditions=True,
    permission=Permission.NONE,
    role=Role.ADMIN,
)
async def change_policy(call: Call, body: ChangePolicy) -> One[StandingPolicyDocument]:
    return _tagged(
        call,
        await call.gallery.administration.change_policy(
            call.principal, body.rules, why=body.why, check=condition(call, _document)
        ),
    )


@operation(
    "GET",
    "/admin/policy/versions",
    "What administrators said, the last first",
    permission=Permission.NONE,
    role=Role.ADMIN,
)
async def list_policy_versions(call: Call, query: PolicyVersionsQuery) -> CursorList[PolicyVersionDocument]:
    page = await call.gallery.administration.policy_versions(call.principal, cursor=query.cursor, limit=query.limit)
    shown = page.map(lambda each: document(PolicyVersionDocument, each))
    return CursorList(shown.items, cursor_pagination(page))


@operation(
    "POST",
    "/admin/policy/versions/{number}/restore",
    "Make the rules of an earlier version hold again; may be repeated",
    raises=(NotFound,),
    holds_conditions=True,
    permission=Permission.NONE,
    role=Role.ADMIN,
)
async def restore_policy(call: Call, number: VersionNumber, body: RestorePolicy) -> One[StandingPolicyDocument]:
    return _tagged(
        call,
        await call.gallery.administration.restore_policy(
            call.principal, number, why=body.why, check=condition(call, _document)
        ),
    )


@operation(
    "GET",
    "/admin/health",
    "How the service is, part by part, and what to do about it",
    permission=Permission.NONE,
    role=Role.ADMIN,
)
async def get_admin_health(call: Call) -> One[HealthReport]:
    """The database and its migrations, clocks, jobs and workers, the store, the disk, and the tasks of the process that
    answers. A part that is broken hides no other: the answer is 200 then, too. In the store a small object is written
    and deleted. `imagegallery doctor` also examines the machine.
    """
    checks = await call.gallery.administration.health(call.principal)
    worst = max((each.level for each in checks), key=list(Level).index)
    return One(HealthReport(worst, tuple(document(CheckDocument, each) for each in checks)))


@operation(
    "GET",
    "/admin/storage",
    "How much is stored, by state and by day",
    permission=Permission.NONE,
    role=Role.ADMIN,
)
async def get_storage(call: Call) -> One[StorageDocument]:
    """It reads 128 MiB of a table at most: what is larger is estimated from a part of it, and not `is_exact`."""
    report = await call.gallery.administration.storage(call.principal)
    return One(
        StorageDocument(
            owners=report.owners,
            used=report.used.bytes,
            is_exact=report.used.is_exact,
            states=tuple(document(StoredDocument, amount, state=state) for state, amount in report.states),
            growth=tuple(document(DayDocument, each, day=each.day.isoformat()) for each in report.growth),
        )
    )


@operation(
    "GET",
    "/admin/owners",
    "Owners, those who store most first",
    permission=Permission.NONE,
    role=Role.ADMIN,
)
async def list_owners(call: Call, query: OwnersQuery) -> CursorList[OwnerDocument]:
    page = await call.gallery.administration.largest_owners(call.principal, cursor=query.cursor, limit=query.limit)
    shown = page.map(lambda each: document(OwnerDocument, each))
    return CursorList(shown.items, cursor_pagination(page))


def _tagged(call: Call, standing: StandingPolicy) -> One[StandingPolicyDocument]:
    """The policy, with its ETag for the next change."""
    answer = _document(standing)
    call.headers["ETag"] = tag_of(answer)
    return answer


def _document(standing: StandingPolicy) -> One[StandingPolicyDocument]:
    version = standing.version
    return One(
        StandingPolicyDocument(
            version=version.number,
            rules=version.rules,
            in_force=document(AdminPolicyDocument, standing.in_force),
            changed_by=version.changed_by,
            why=version.why,
            updated_at=standing.updated_at,
        )
    )
