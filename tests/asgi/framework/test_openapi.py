"""The description is complete and hangs together."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from imagegallery import ImageGalleryError
from imagegallery.gallery import EVENT_TYPES
from imagegallery_asgi.auth import jwt, security_schemes_of, single_user
from imagegallery_asgi.framework.context import Authenticate
from imagegallery_asgi.framework.json_schema import reference
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


# What generated clients call: a name that is here stays.
IDS = """
addGalleryImages appendResumableUpload approveGuestUploads rejectGuestUploads listGuestUploads listOwnGuestUploads
withdrawGuestUpload nameGuest batchImages beginUppyUpload abortUppyMultipart cancelResumableUpload
cancelUpload checkFiles completeUpload completeUppyMultipart createGallery createResumableUpload createUpload
createUppyMultipart createWebhook deleteGallery deleteImage deleteWebhook dismissDuplicate downloadImage enableWebhook
getReceivedShare joinShare leaveShare listReceivedShares removeShareRecipient
getFile getFileHead getGallery getGalleryAccess getHealth getImage getImageAccess getMe getObject getObjectHead
getOpenapi getReadiness
getResumableOptions getResumableUpload getResumableUploadHead getResumableUploadOptions getTimeline getTimelineMonth
getUpload getWebhook listAudit listDuplicates listGalleries listGalleryImages listImages listPolicies listUploadParts
listEveryAudit
getGalleryFeed getGalleryFile getGalleryFileHead getOembed makeGalleryCookies
listUploads listUppyParts listWebhooks moveGalleryImages postObject putObject removeGalleryImage removeGalleryImages
restoreImage retryImage sendUploadContent signUploadParts signUppyPart signUppyParts streamEvents updateGallery
updateImage uploadGalleryImage uploadImage viewImage
createShare deleteShare getShare listShareAccesses listShares openShare removeShareLink rotateShareLink unlockShare
updateShare
deleteTag listTags readImageSidecar mergeTags renameTag
cancelErasure deleteExport getArchive getArchiveHead getErasure getExport listExports requestErasure requestExport
changePolicy getPolicy listPolicyVersions restorePolicy
getAdminHealth getStorage listOwners getJobs listDeadJobs redriveJobs discardJobs redriveJob discardJob
"""


def test_every_operation_has_an_id_of_its_own_that_stays() -> None:
    """A verb and a noun. Who adds an operation adds its id here."""
    ids = [operation["operationId"] for _, _, operation in described()]
    assert len(ids) == len(set(ids))
    assert set(IDS.split()) - set(ids) == set()
    assert set(ids) - set(IDS.split()) == set()
    assert all(re.fullmatch("[a-z]+([A-Z][a-z]+)+", each) for each in ids)


def test_an_id_that_is_taken_is_told_apart_by_its_module() -> None:
    (mine,) = [each for each in OPERATIONS if each.handler.__name__ == "get_me"]
    document = Description([mine, evolve(mine, path="/you")]).document("/")
    assert document["paths"]["/you"]["get"]["operationId"] == "meGetMe"


def test_every_operation_says_what_it_does_and_for_whom() -> None:
    assert all(operation["summary"] and operation["description"] for _, _, operation in described())
    told = DOCUMENT["paths"]["/images/{image_id}/download"]["get"]["description"]
    assert "For users and visitors with `download` on what the address names." in told


def test_every_tag_is_described() -> None:
    tags = {each["name"]: each["description"] for each in DOCUMENT["tags"]}
    used = {tag for _, _, operation in described() for tag in operation["tags"]}
    assert set(tags) == used >= {"galleries", "resumable", "uppy"}
    assert "handlers" not in tags
    assert all(tags.values())


def test_who_has_to_sign_in_is_told_in_the_words_of_the_host() -> None:
    paths = DOCUMENT["paths"]
    assert paths["/files/{key}"]["get"]["security"] == []
    assert paths["/galleries"]["get"]["security"] == [{}, {"bearer": []}]
    assert paths["/galleries"]["post"]["security"] == [{"bearer": []}]
    scheme = {"type": "apiKey", "in": "cookie", "name": "session"}
    by_cookie = Description(OPERATIONS, security_schemes={"session": scheme}).document("/")
    assert by_cookie["components"]["securitySchemes"] == {"session": scheme}
    assert by_cookie["paths"]["/galleries"]["post"]["security"] == [{"session": []}]
    alone = Description(OPERATIONS, security_schemes={}).document("/")
    assert alone["paths"]["/galleries"]["post"]["security"] == []


@pytest.mark.parametrize(
    ("authenticate", "schemes"),
    [(single_user("ana"), []), (jwt("a secret of at least 32 bytes, ours"), ["bearer"]), (lambda _: None, ["bearer"])],
)
def test_an_application_describes_how_its_users_sign_in(authenticate: Authenticate, schemes: list[str]) -> None:
    assert [*security_schemes_of(authenticate)] == schemes


def test_every_code_of_a_problem_is_named() -> None:
    codes = set(DOCUMENT["components"]["schemas"]["ProblemCode"]["enum"])
    assert {"not_found", "route_not_found", "method_not_allowed", "invalid_input", "bad_image", "rate_limited"} <= codes
    assert DOCUMENT["components"]["schemas"]["Problem"]["properties"]["code"] == reference("ProblemCode")
    assert DOCUMENT["components"]["schemas"]["MessagedProblem"]["properties"]["code"] == reference("ProblemCode")
    raised = {error.code for operation in OPERATIONS for error in operation.raises}
    assert raised <= codes


class TooSour(ImageGalleryError):
    """An error of a host."""

    code = "too_sour"


def test_a_host_names_the_codes_of_its_own_errors() -> None:
    (mine,) = [each for each in OPERATIONS if each.handler.__name__ == "get_me"]
    document = Description([evolve(mine, raises=(TooSour,))]).document("/")
    assert "too_sour" in document["components"]["schemas"]["ProblemCode"]["enum"]


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("/images", {"library", "trash", "chosen"}),
        ("/galleries/{gallery_id}/images", {"gallery", "gallery_page", "chosen", "chosen_page"}),
    ],
)
def test_a_list_says_of_which_kind_it_is(path: str, kinds: set[str]) -> None:
    schema = DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema["discriminator"]["propertyName"] == "kind"
    assert set(schema["discriminator"]["mapping"]) == kinds
    for kind, name in schema["discriminator"]["mapping"].items():
        listed = DOCUMENT["components"]["schemas"][name.rpartition("/")[2]]
        assert listed["properties"]["kind"] == {"type": "string", "enum": [kind]}
        assert "kind" in listed["required"]


def test_bytes_are_told_as_generators_know_them() -> None:
    sent = DOCUMENT["paths"]["/uploads/{upload_id}/content"]["put"]["requestBody"]["content"]
    for media_type, content in sent.items():
        assert content["schema"] == {"type": "string", "format": "binary", "contentMediaType": media_type}


def test_every_event_is_described_with_its_data_and_for_whom_it_is() -> None:
    assert set(DOCUMENT["webhooks"]) == set(EVENT_TYPES)
    posted = DOCUMENT["webhooks"]["gallery.changed"]["post"]
    assert posted["x-audience"] == "members"
    assert posted["operationId"] == "receiveGalleryChanged"
    assert posted["requestBody"]["content"]["application/json"]["schema"] == reference("GalleryChangedEvent")
    schemas = DOCUMENT["components"]["schemas"]
    assert schemas["GalleryChangedEvent"]["properties"]["type"] == {"type": "string", "const": "gallery.changed"}
    assert list(schemas["GalleryChanged"]["properties"]) == ["owner_id", "gallery_id", "change", "meta"]


def test_a_stream_has_the_same_events_told_apart_by_their_type() -> None:
    event = DOCUMENT["components"]["schemas"]["Event"]
    assert event["discriminator"]["propertyName"] == "type"
    assert set(event["discriminator"]["mapping"]) == set(EVENT_TYPES)
    assert [each["$ref"] for each in event["oneOf"]] == list(event["discriminator"]["mapping"].values())
    stream = DOCUMENT["paths"]["/events"]["get"]["responses"]["200"]["content"]["text/event-stream"]["schema"]
    assert stream["contentSchema"]["items"]["properties"]["data"]["contentSchema"] == reference("Event")


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
    assert parameters["cursor"]["type"] == "string"


def test_what_stands_for_nothing_may_be_left_out_and_may_be_more_is_described() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    kinds = schemas["CreateUpload"]["properties"]["gallery_id"]["anyOf"]
    assert [kind.get("enum", kind["type"]) for kind in kinds] == ["string", "null", ["", "null", "undefined"]]
    assert schemas["UpdateGallery"]["properties"]["cover_image_id"]["anyOf"] == [kinds[0], {"type": "null"}]
    assert schemas["UpdateImage"]["properties"]["is_favorite"] == {"type": "boolean"}
    assert "default" not in schemas["CreateGallery"]["properties"]["visibility"], "which is for administrators to say"
    assert set(schemas["Visibility"]["enum"]) == {"public", "unlisted", "private"}
    assert {name for name in schemas if schemas[name].get("additionalProperties")} == {"ObjectForm", "UppyMetadata"}


def test_an_operation_takes_ids_or_a_file_and_never_both() -> None:
    """Where a file may come instead of ids, what is for files is deprecated."""
    for _, _, operation in described():
        taken = operation.get("requestBody", {}).get("content", {}).keys()
        assert "application/json" not in taken or len(taken) == 1
    for path in ("/galleries/{gallery_id}/uploads", "/images"):
        upload = DOCUMENT["paths"][path]["post"]
        assert list(upload["requestBody"]["content"]) == ["multipart/form-data", "application/octet-stream"]
        assert {"202", "400", "401", "403", "413", "415", "422"} <= upload["responses"].keys()
    ids = DOCUMENT["paths"]["/galleries/{gallery_id}/images"]["post"]
    assert all(each["deprecated"] for each in ids["parameters"] if each["in"] == "query")
    assert "deprecated" not in ids


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


def test_what_is_below_links_is_described_once() -> None:
    marked = {path for path, _, operation in described() if operation.get("x-for-links")}
    assert marked == {each.path for each in OPERATIONS if each.for_links}
    assert {path for path, _, _ in described() if path.startswith("/s/")} == {
        "/s/{link}",
        "/s/{link}/unlock",
        "/s/{link}/join",
        "/s/{link}/guests",
    }
    told = DOCUMENT["paths"]["/galleries/{gallery_id}"]["get"]["description"]
    assert told.endswith("Below a link: `/s/{link}/galleries/{gallery_id}`, for who came by it.")
