"""An application has the operations that it chose, describes no others, and has no webhooks unless it wants them."""

from collections.abc import Iterable

import httpx
import pytest
from starlette.routing import Route

from imagegallery import ConfigurationError, Permission
from imagegallery_asgi import EVERYTHING, READ_ONLY, Call, Operation, create_app, declaring
from imagegallery_asgi.framework.context import API_PREFIX
from imagegallery_asgi.routes import GROUPS, OPERATIONS

OWN: list[Operation] = []


@declaring(OWN)("POST", "/postcards", "Send a postcard", permission=Permission.NONE)
async def send(call: Call) -> None:
    call.headers["X-Sent"] = "yes"


def mounted(operations: Iterable[str | Operation]) -> set[str]:
    app = create_app(authenticate=lambda _: None, operations=operations)
    return {
        route.path.removeprefix(API_PREFIX)
        for route in app.routes
        if isinstance(route, Route) and API_PREFIX in route.path
    }


def paths(operations: Iterable[Operation]) -> set[str]:
    return {path for each in operations for path in (each.path, each.also_at) if path}


def test_without_a_choice_there_is_everything_but_webhooks() -> None:
    below_links = [each.below_link for each in OPERATIONS if each.for_links]
    expected = paths([*(each for each in OPERATIONS if each.tag != "webhooks"), *below_links])
    assert mounted(()) == expected
    assert mounted(EVERYTHING) == paths([*OPERATIONS, *below_links])
    assert paths(GROUPS["webhooks"]).isdisjoint(expected)


def test_groups_are_chosen_by_name_and_own_operations_come_beside_them() -> None:
    assert mounted({"uploads", "files"}) == paths((*GROUPS["uploads"], *GROUPS["files"]))
    assert mounted(["files", *OWN]) == {*paths(GROUPS["files"]), "/postcards"}
    assert mounted(OWN) == mounted(()) | {"/postcards"}
    assert mounted({"images:read"}) == paths(each for each in GROUPS["images"] if each.is_safe)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("uplods", "did you mean uploads"),
        ("uplods:read", "did you mean uploads"),
        ("x", "there are administration, audit, contributions"),
    ],
)
def test_an_unknown_name_is_told_with_those_that_there_are(name: str, hint: str) -> None:
    with pytest.raises(ConfigurationError, match=hint):
        create_app(operations={name})


async def test_read_only_changes_nothing_and_describes_nothing_else() -> None:
    app = create_app(authenticate=lambda _: None, operations=READ_ONLY)
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://pictures.example") as client:
        for operation in OPERATIONS:
            if not operation.is_safe:
                path = operation.path.replace("{key:path}", "key")
                answer = await client.request(operation.method, API_PREFIX + path)
                assert answer.status_code in (404, 405), operation.name
    assert {each.method for each in OPERATIONS if each.tag in ("images", "galleries") and each.is_safe} == {"GET"}


def test_pages_come_with_the_operations_that_they_show() -> None:
    def pages(operations: Iterable[str]) -> set[str]:
        app = create_app(authenticate=lambda _: None, operations=operations)
        paths = (route.path for route in app.routes if isinstance(route, Route))
        return {path for path in paths if path.startswith(("/s/", "/embed/"))}

    assert pages({"files"}) == set()
    assert pages({"embedding"}) == {"/embed/galleries/{gallery_id}"}
    assert pages({"links"}) == {
        "/s/{link}",
        "/s/{link}/images/{image_id}",
        "/s/{link}/galleries/{gallery_id}",
        "/s/{link}/galleries/{gallery_id}/images/{image_id}",
        "/embed/s/{link}",
    }
