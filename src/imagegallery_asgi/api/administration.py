"""What administrators govern at run time: one policy for the whole service, in versions."""

from typing import Annotated

from msgspec import Meta
from starlette.responses import Response

from imagegallery import NotFound, Permission, Role
from imagegallery.administration.policy_history import StandingPolicy
from imagegallery_asgi.api.documents import cursor_pagination, document
from imagegallery_asgi.api.pages import condition, page_answers, tag_of, unkept_response
from imagegallery_asgi.api.requests import MAX_SAFE_INTEGER, ChangePolicy, PolicyVersionsQuery, RestorePolicy
from imagegallery_asgi.api.responses import (
    AdminPolicyDocument,
    CursorList,
    One,
    PolicyVersionDocument,
    StandingPolicyDocument,
)
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
