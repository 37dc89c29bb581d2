"""The description is complete and hangs together."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from imagegallery.gallery import EVENT_TYPES
from imagegallery_asgi.framework.openapi import Description
from imagegallery_asgi.routes import OPERATIONS

DOCUMENT: Any = json.loads(Description(OPERATIONS).at("/api/v1"))


def described() -> Iterator[tuple[str, str, Any]]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def test_every_reference_leads_somewhere() -> None:
    references = re.findall(r'"#/components/schemas/(\w+)"', json.dumps(DOCUMENT))
    assert set(references) == set(DOCUMENT["components"]["schemas"])


def test_every_operation_has_an_id_of_its_own_and_a_summary() -> None:
    ids = [operation["operationId"] for _, _, operation in described()]
    assert len(ids) == len(set(ids))
    assert all(operation["summary"] for _, _, operation in described())


def test_every_event_is_described_with_its_data_and_for_whom_it_is() -> None:
    assert set(DOCUMENT["webhooks"]) == set(EVENT_TYPES)
    posted = DOCUMENT["webhooks"]["gallery.changed"]["post"]
    assert posted["x-audience"] == "members"
    document = posted["requestBody"]["content"]["application/json"]["schema"]
    assert document["properties"]["type"] == {"const": "gallery.changed"}
    data = DOCUMENT["components"]["schemas"]["GalleryChanged"]
    assert list(data["properties"]) == ["owner_id", "gallery_id", "change", "meta"]


def test_every_path_parameter_is_described() -> None:
    for path, _, operation in described():
        named = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))


def test_every_failure_is_a_problem() -> None:
    for _, method, operation in described():
        failures = {status: answer for status, answer in operation["responses"].items() if int(status) >= 400}
        assert {"500", "503"} <= failures.keys()
        if method != "head":
            assert all(list(answer["content"]) == ["application/problem+json"] for answer in failures.values())


def test_whoever_sends_a_body_is_told_that_it_may_come_too_late() -> None:
    for _, _, operation in described():
        assert ("408" in operation["responses"]) == ("requestBody" in operation)


def test_answers_name_all_their_fields_and_requests_only_what_must_be_there() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for name in ("ImageSummary", "GalleryImage", "ImageDetail"):
        assert set(schemas[name]["required"]) == set(schemas[name]["properties"])
    assert schemas["CreateGallery"]["required"] == ["name"]
    assert "required" not in schemas["UpdateGallery"]
    assert schemas["AddImages"]["properties"]["image_ids"]["maxItems"] == 1000


def test_constraints_and_defaults_are_those_that_parse() -> None:
    parameters = {each["name"]: each["schema"] for each in DOCUMENT["paths"]["/galleries"]["get"]["parameters"]}
    assert parameters["limit"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 50}
    assert parameters["cursor"] == {"type": "string"}


def test_what_stands_for_nothing_may_be_left_out_and_may_be_more_is_described() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    kinds = schemas["CreateUpload"]["properties"]["gallery_id"]["anyOf"]
    assert [kind.get("enum", kind["type"]) for kind in kinds] == ["string", "null", ["", "null", "undefined"]]
    assert schemas["UpdateGallery"]["properties"]["cover_image_id"]["anyOf"] == [kinds[0], {"type": "null"}]
    assert schemas["UpdateImage"]["properties"]["is_favorite"] == {"type": "boolean"}
    assert schemas["CreateGallery"]["properties"]["visibility"]["default"] == "private"
    assert set(schemas["Visibility"]["enum"]) == {"public", "unlisted", "private"}
    assert {name for name in schemas if schemas[name].get("additionalProperties")} == {"ObjectForm", "UppyMetadata"}


def test_one_call_upload_has_three_kinds_of_body() -> None:
    upload = DOCUMENT["paths"]["/galleries/{gallery_id}/images"]["post"]
    assert {"application/json", "multipart/form-data", "image/*"} <= upload["requestBody"]["content"].keys()
    assert {"200", "202", "400", "401", "403", "404", "413", "415", "422"} <= upload["responses"].keys()


def names_of_fields(schema: Any) -> Iterator[str]:
    for key, value in schema.items() if isinstance(schema, dict) else enumerate(schema):
        if key == "properties":
            yield from value
        if isinstance(value, (dict, list)):
            yield from names_of_fields(value)


def test_fields_are_in_snake_case_but_for_those_that_the_reference_names() -> None:
    """Uppy's have its own names: it is the client of those."""
    ours = {name: schema for name, schema in DOCUMENT["components"]["schemas"].items() if "Uppy" not in name}
    exceptions = {name for name in names_of_fields(ours) if not re.fullmatch("[a-z0-9_]+", name)}
    assert exceptions == {"srcSet", "nextCursor", "hasMore", "totalPages", "requestId"}
    reference = (Path(__file__).parents[3] / "docs" / "reference" / "http.md").read_text()
    assert all(f"`{name}`" in reference for name in exceptions)
