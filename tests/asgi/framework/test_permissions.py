"""Every operation on an image or a gallery asks for the permission that it declares, and nothing less."""

from collections.abc import Mapping
from http import HTTPStatus

import httpx
import pytest
from tests.asgi.conftest import ClientOf
from tests.support.photographs import photograph

from imagegallery import Permission
from imagegallery_asgi.framework.openapi import Description
from imagegallery_asgi.framework.operations import Operation
from imagegallery_asgi.routes import OPERATIONS

GOVERNED = [
    each for each in OPERATIONS if each.needs_principal and ("{image_id}" in each.path or "{gallery_id}" in each.path)
]
OTHER, VISITOR = "other", None


def bodies(image_id: str) -> Mapping[tuple[str, str], object]:
    """What the service can make sense of, so that it comes to the question of who asks."""
    return {
        ("PATCH", "/images/{image_id}"): {"alt_text": "A tram"},
        ("PATCH", "/galleries/{gallery_id}"): {"name": "Lisbon"},
        ("POST", "/galleries/{gallery_id}/images"): {"image_ids": [image_id]},
        ("POST", "/galleries/{gallery_id}/images/remove"): {"image_ids": [image_id]},
        ("POST", "/galleries/{gallery_id}/images/move"): {
            "image_ids": [image_id],
            "after": "0190a3d8-5b0e-7c2a-9d1e-000000000000",
        },
    }


def ask(client: httpx.Client, operation: Operation, gallery_id: str, image_id: str) -> int:
    path = operation.path.format(gallery_id=gallery_id, image_id=image_id)
    if operation.path.endswith("/uploads"):
        return client.request(operation.method, path, content=photograph(80, 60)).status_code
    body = bodies(image_id).get((operation.method, operation.path))
    return client.request(operation.method, path, json=body).status_code


@pytest.mark.parametrize("own", ["private", "unlisted", "public"])
@pytest.mark.parametrize("visibility", ["public", "private"])
def test_strangers_may_do_what_the_declared_permission_says(
    owner: httpx.Client, client_of: ClientOf, visibility: str, own: str
) -> None:
    gallery_id = owner.post("/galleries", json={"name": "Lisbon", "visibility": visibility}).json()["data"]["id"]
    uploaded = owner.post(
        f"/galleries/{gallery_id}/uploads",
        params={"visibility": own},
        content=photograph(80, 60),
        headers={"Content-Type": "image/jpeg"},
    )
    image_id = uploaded.json()["data"]["id"]
    for user in (OTHER, VISITOR):
        client = client_of(user)
        for operation in GOVERNED:
            answered = ask(client, operation, gallery_id, image_id)
            if user is VISITOR and operation.permission != Permission.VIEW:
                assert answered == HTTPStatus.UNAUTHORIZED, operation.name
            elif visibility == "private" and (own == "private" or "{gallery_id}" in operation.path):
                assert answered == HTTPStatus.NOT_FOUND, operation.name
            elif operation.permission != Permission.VIEW:
                assert answered == HTTPStatus.FORBIDDEN, operation.name
            else:  # the image may have no variant yet
                assert answered < 400 or operation.path.endswith("/view"), operation.name


def test_what_names_a_thing_declares_a_permission_and_tells_it() -> None:
    document = Description(OPERATIONS).document("/api/v1")
    for operation in OPERATIONS:
        things = ("image", "gallery", "upload", "webhook", "share", "export")
        names_a_thing = any(f"{{{each}_id}}" in operation.path for each in things)
        assert bool(operation.permission) is (names_a_thing and operation.needs_principal), operation.name
    described = document["paths"]["/images/{image_id}/download"]["get"]
    assert described["x-permission"] == ["download"]
