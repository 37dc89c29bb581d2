"""Any request that the description allows, and many it does not, gets a documented answer and no 5xx."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis.checks import CheckFunction
from schemathesis.specs.openapi.checks import positive_data_acceptance

from imagegallery_asgi.framework.openapi import Description
from imagegallery_asgi.routes import OPERATIONS

everything = schemathesis.openapi.from_dict(Description(OPERATIONS).document("/api/v1"))
schemathesis.openapi.media_type("application/offset+octet-stream", st.binary())
schemathesis.openapi.media_type("application/partial-upload", st.binary())
# A stream of events does not end.
description = everything.exclude(path="/events")

# No schema can say which cursors, types and bytes are acceptable: refusing those is right.
BEYOND_A_SCHEMA: list[CheckFunction] = [positive_data_acceptance]
AnyCase = schemathesis.Case[Any]

few_examples = settings(
    max_examples=5,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@description.parametrize()
@few_examples
def test_answers_about_nothing(case: AnyCase, api_url: str) -> None:
    check(case, api_url, "nobody-yet")


@description.include(path_regex="{").parametrize()
@few_examples
def test_answers_about_what_is_there(case: AnyCase, api_url: str, user: str, things: Mapping[str, str]) -> None:
    """The same with ids, keys and tokens of things that exist (until one of the requests deletes them)."""
    case.path_parameters = {name: things[name] for name in case.path_parameters or {}}
    check(case, api_url, user)


def check(case: AnyCase, api_url: str, user: str) -> None:
    response = case.call(base_url=api_url, headers={"X-User": user})
    if response.status_code == HTTPStatus.PRECONDITION_FAILED:
        return  # a tus client that names no version: that comes before what it sends
    if response.status_code != HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:  # the server's own: it never came to us
        case.validate_response(response, excluded_checks=BEYOND_A_SCHEMA)


@pytest.fixture
def api_url(owner: httpx.Client) -> str:
    return str(owner.base_url)


@pytest.fixture
def things(owner: httpx.Client, photo: bytes) -> Mapping[str, str]:
    """A gallery with an image, and an upload session, by the names of path parameters."""
    gallery = owner.post("/galleries", json={"name": "Lisbon", "visibility": "public"}).json()["data"]
    jpeg = {"Content-Type": "image/jpeg"}
    image = owner.post(f"/galleries/{gallery['id']}/uploads", content=photo, headers=jpeg).json()["data"]
    declared = {"filename": "tram.jpg", "content_type": "image/jpeg", "size": len(photo)}
    upload = owner.post("/uploads", json=declared).json()["data"]
    original = owner.get(f"/images/{image['id']}/download").headers["Location"]
    return {
        "gallery_id": gallery["id"],
        "image_id": image["id"],
        "month": image["taken_at"][:7],
        "upload_id": upload["id"],
        "number": "1",
        "webhook_id": owner.post("/webhooks", json={"url": "http://127.0.0.1:9/"}).json()["data"]["webhook"]["id"],
        "token": original.rpartition("/")[2],
        "key": "library/images/none/thumbnail-none.webp",
    }
