"""Every body and every answer of the description has an example: it fits its schema, and looks like the real thing."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest

from imagegallery.errors import Fault
from imagegallery_asgi.framework.errors import PROBLEM_TYPE
from imagegallery_asgi.framework.json_schema import Components
from imagegallery_asgi.framework.openapi import Description
from imagegallery_asgi.framework.operations import JSON
from imagegallery_asgi.framework.parsing import parse_json
from imagegallery_asgi.routes import OPERATIONS

DOCUMENT: Any = json.loads(Description(OPERATIONS).at("/api/v1"))
COMPONENTS = DOCUMENT["components"]
# What is sent and answered as it is: there is nothing to show of it.
BYTES = (
    "image/*",
    "application/octet-stream",
    "application/offset+octet-stream",
    "application/partial-upload",
    "application/zip",
)


def is_problem(answer: Any) -> bool:
    return PROBLEM_TYPE in answer.get("content", {})


def contents() -> Iterator[tuple[str, Any]]:
    """Every content of bodies and successful answers, with a name."""
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            answers = {status: each for status, each in operation["responses"].items() if not is_problem(each)}
            for where, described in {"body": operation.get("requestBody", {}), **answers}.items():
                for media_type, content in described.get("content", {}).items():
                    if media_type not in BYTES:
                        yield f"{method} {path} {where} {media_type}", content


def problems() -> Iterator[tuple[str, int, Any]]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            for status, answer in operation["responses"].items():
                if is_problem(answer) and method != "head":
                    yield f"{method} {path}", int(status), answer


def example_of(document: type) -> object:
    components = Components()
    return components.example(components.schema(document))


def check(value: object, schema: Any) -> None:
    validator = jsonschema_rs.Draft202012Validator({**schema, "components": COMPONENTS}, validate_formats=True)
    validator.validate(value)


def test_every_example_fits_its_schema() -> None:
    named = dict(contents())
    assert len(named) > 40
    for name, content in named.items():
        assert "example" in content, name
        if "schema" in content:
            check(content["example"], content["schema"])


def test_every_parameter_and_header_has_one() -> None:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            for each in operation["parameters"]:
                assert "example" in each, (method, path, each)
                check(each["example"], each["schema"])
            for answer in operation["responses"].values():
                assert all("example" in header for header in answer.get("headers", {}).values()), (method, path)


def test_every_event_has_one() -> None:
    for item in DOCUMENT["webhooks"].values():
        (content,) = item["post"]["requestBody"]["content"].values()
        check(content["example"], content["schema"])


def test_every_error_of_every_operation_has_one() -> None:
    for name, status, answer in problems():
        (content,) = answer["content"].values()
        for code, reference in content["examples"].items():
            example = COMPONENTS["examples"][reference["$ref"].rpartition("/")[2]]["value"]
            assert (example["code"], example["status"]) == (code, status), name
            assert example["detail"], name
            check(example, content["schema"])
        assert answer["description"].count("`: ") == len(content["examples"])


@pytest.mark.parametrize(
    "document", sorted({each.document for op in OPERATIONS for each in op.bodies if each.media_type == JSON}, key=str)
)
def test_a_body_that_is_sent_as_in_its_example_is_taken(document: type) -> None:
    faults: list[Fault] = []
    example = json.loads(json.dumps(example_of(document)))
    assert parse_json(document, example, ("body",), faults) is not None, faults


def test_what_nothing_is_known_of_has_no_example() -> None:
    with pytest.raises(TypeError, match="say what it is like"):
        example_of(str)


def shape(value: Any) -> Any:
    """The fields of a document, and of what is in it; lists by their first entry. What is empty or null has none."""
    if isinstance(value, dict) and value:
        return {name: shape(each) for name, each in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else None


def agree(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(agree(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return agree(one[0], other[0])
    return True


def test_real_answers_look_like_the_examples(owner: httpx.Client, gallery: str, image: str, photo: bytes) -> None:
    upload = {"filename": "tram.jpg", "content_type": "image/jpeg", "size": len(photo)}
    begun = owner.post("/uploads", json=upload)
    large = owner.post("/uploads", json={**upload, "size": 1_000_000}).json()["data"]["id"]
    hook = owner.post("/webhooks", json={"url": "http://127.0.0.1:9/"})
    month = owner.get(f"/images/{image}").json()["data"]["taken_at"][:7]
    real = {
        ("/uploads", "post"): begun,
        ("/webhooks", "post"): hook,
        ("/uploads", "get"): owner.get("/uploads"),
        ("/uploads/{upload_id}", "get"): owner.get(f"/uploads/{begun.json()['data']['id']}"),
        ("/uploads/{upload_id}/parts", "get"): owner.get(f"/uploads/{large}/parts"),
        ("/uploads/{upload_id}/parts/sign", "post"): owner.post(f"/uploads/{large}/parts/sign", json={"numbers": [1]}),
        ("/webhooks", "get"): owner.get("/webhooks"),
        ("/me", "get"): owner.get("/me"),
        ("/galleries", "get"): owner.get("/galleries?with_meta=true"),
        ("/galleries/{gallery_id}", "get"): owner.get(f"/galleries/{gallery}"),
        ("/galleries/{gallery_id}/images", "get"): owner.get(f"/galleries/{gallery}/images"),
        ("/images", "get"): owner.get("/images"),
        ("/images/{image_id}", "get"): owner.get(f"/images/{image}"),
        ("/images/timeline", "get"): owner.get("/images/timeline"),
        ("/images/timeline/{month}/images", "get"): owner.get(f"/images/timeline/{month}/images"),
        ("/images/batch", "post"): owner.post("/images/batch", json={"action": "favorite", "ids": [image]}),
        ("/readyz", "get"): owner.get("/readyz"),
    }
    for (path, method), answer in real.items():
        described = DOCUMENT["paths"][path][method]["responses"][str(answer.status_code)]["content"][JSON]
        check(answer.json(), described["schema"])
        assert agree(shape(answer.json()), shape(described["example"])), (path, answer.text)
