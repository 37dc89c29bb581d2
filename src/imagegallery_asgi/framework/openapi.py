"""The OpenAPI 3.1 description, from the code: the operations, their classes and the table of errors. Pure."""

import inspect
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from http import HTTPStatus
from importlib.metadata import version

import attrs
import msgspec
from attrs import frozen

from imagegallery import (
    BadImage,
    DuplicateImage,
    Forbidden,
    ImageGalleryError,
    InvalidInput,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from imagegallery.access.audience import EventAudience
from imagegallery.access.permission import OWNER
from imagegallery.errors import Fault, IdempotencyKeyReused, OffsetMismatch, Overloaded
from imagegallery.events.event import DomainEvent, EventTypes
from imagegallery.gallery import EVENT_TYPES
from imagegallery.webhooks.signature import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER
from imagegallery_asgi.framework.constraints import Moment
from imagegallery_asgi.framework.errors import (
    PROBLEM_TYPE,
    BodyStalled,
    HeadTooLarge,
    InternalError,
    KeyNotTaken,
    MalformedRequest,
    MessagedProblem,
    MethodNotAllowed,
    Problem,
    RouteNotFound,
    StaleCondition,
    UnsupportedBody,
    problem_document,
    row_of,
)
from imagegallery_asgi.framework.headers import IDEMPOTENCY_KEY
from imagegallery_asgi.framework.json_schema import Components, JsonSchema, reference
from imagegallery_asgi.framework.operations import JSON, LINK, Content, DeclaredAnswer, Operation, Repeats

_VERSION = version("imagegallery")
# In examples.
_ID = "01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52"
BEARER: Mapping[str, JsonSchema] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer` and a token of the user's."}
}
# Of addresses and methods that no operation has.
_NOWHERE: tuple[type[ImageGalleryError], ...] = (RouteNotFound, MethodNotAllowed)
_ALWAYS: tuple[type[ImageGalleryError], ...] = (
    InternalError,
    Unavailable,
    HeadTooLarge,
    Forbidden,
    StaleCondition,
)
_WITH_PRINCIPAL: tuple[type[ImageGalleryError], ...] = (Unauthenticated, RateLimited)
_WITH_BODY: tuple[type[ImageGalleryError], ...] = (BodyStalled, Overloaded)
_WITH_JSON: tuple[type[ImageGalleryError], ...] = (MalformedRequest, TooLarge, UnsupportedBody, InvalidInput)


@frozen
class _Key:
    """What an operation says about ``Idempotency-Key``."""

    headers: Mapping[str, str] = attrs.field(factory=dict)
    raises: tuple[type[ImageGalleryError], ...] = ()


EVENT, EVENTS = "Event", "events"
EVENT_STREAM = "text/event-stream"
# Each event of a stream has these fields (HTML standard, section 9.2.5), of which ``data`` holds all there is to know.
_STREAM: JsonSchema = {
    "type": "string",
    "contentMediaType": EVENT_STREAM,
    "contentSchema": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "id": {"type": "string"},
                "event": {"type": "string"},
                "data": {"type": "string", "contentMediaType": JSON, "contentSchema": reference(EVENT)},
            },
        },
    },
}
_AUDIENCES = {
    EventAudience.OWNER: "the owner of what it is about",
    EventAudience.MEMBERS: "the members of the gallery",
    EventAudience.USER: "one user",
}
# How a delivery is signed (Standard Webhooks).
_SIGNED = {
    ID_HEADER: "The id of the delivery, the same when it is tried again.",
    TIMESTAMP_HEADER: "When it was sent, in seconds of Unix time.",
    SIGNATURE_HEADER: "`v1,` and the base64 of the HMAC-SHA256 over `{webhook-id}.{webhook-timestamp}.{body}`.",
}
# Of parameters that are alike wherever they are.
_MEANINGS: Mapping[str, str] = {
    "cursor": "The `nextCursor` of the page before; without one the first page.",
    "key": "The key of a public variant, as in its URL.",
    "link": "The token of a share's link, or its name.",
    "limit": "The most that a page has.",
    "month": "A month of UTC.",
    "number": "The number of a part, from 1.",
    "page": "The number of a page, from 1, instead of a cursor.",
    "token": "The signed part of a URL that this service has made.",
}
_EVENT_EXAMPLES: Mapping[str, object] = {
    "code": "truncated",
    "contributor": "user:ben",
    "erase_at": "2026-06-15T12:30:00Z",
    "expires_at": "2026-06-08T12:30:00Z",
    "format": "webp",
    "is_pending": True,
    "name": "ben",
    "message": "The file ends before the picture does.",
    "owner_id": "ana",
    "fields": ["tags", "rating"],
    "urls": ["https://photos.example/api/v1/files/library/images/medium-nr3kq7wz2d.webp"],
    "user_id": "ben",
    "variant_type": "medium",
}
_HEADER_EXAMPLES: Mapping[str, str] = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "no-store",
    "Content-Range": "bytes 0-1023/61204",
    "ETag": '"9f2c41d05d41402a"',
    "If-Match": '"9f2c41d05d41402a"',
    "If-Unmodified-Since": "Mon, 01 Jun 2026 12:30:00 GMT",
    "Last-Modified": "Mon, 01 Jun 2026 12:30:00 GMT",
    "Share-Visit": "69f0a1b2.9c1f",
    "Share-Guest": "AZQMfluafz6NIWpLnA4fUkF1bnQgSW7Dqg.9c1f",
    "Location": f"/api/v1/images/{_ID}",
    "Retry-After": "30",
    "Set-Cookie": "imagegallery-folder=…; HttpOnly; Path=/api/v1/galleries/…/files/; SameSite=lax; Secure",
    "Tus-Extension": "creation,termination",
    "Tus-Version": "1.0.0",
    "Upload-Limit": "max-size=104857600",
    "Upload-Offset": "1048576",
    "WWW-Authenticate": "Bearer",
    "X-Request-ID": _ID,
    IDEMPOTENCY_KEY: "order-1042-cover",
    ID_HEADER: _ID,
    SIGNATURE_HEADER: "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    TIMESTAMP_HEADER: "1780317000",
}
_CONDITIONS = {
    "If-Match": "The ETag that the client has seen: nothing is changed of what is another version by now.",
    "If-Unmodified-Since": "The same by the time of the last change.",
}
_KEY_MEANING = "Any 1 to 255 characters. The same request with the same key answers what it made the first time."
_KEYS = {
    Repeats.HARMLESS: _Key(),
    Repeats.KEYED: _Key({IDEMPOTENCY_KEY: _KEY_MEANING}, (IdempotencyKeyReused,)),
    Repeats.REFUSED: _Key(raises=(KeyNotTaken,)),
}


class Description:
    """The description of ``operations`` and ``events``; ``at`` renders it for the address where the API is mounted, and
    with the documents of the policies of uploads.

    ``security_schemes`` say how users sign in, by any of them; without one nobody has to.
    """

    def __init__(
        self,
        operations: Iterable[Operation],
        events: EventTypes = EVENT_TYPES,
        security_schemes: Mapping[str, JsonSchema] = BEARER,
    ) -> None:
        described = [*operations]
        components = Components()
        self._paths = _paths(described, components, security_schemes)
        self._webhooks = _webhooks(events, components, are_streamed=any(map(_streams, described)))
        _enumerate_codes(described, components)
        tags = {**({EVENTS: "What happened."} if events else {}), **{each.tag: each.about for each in described}}
        self._tags = [{"name": name, "description": about} for name, about in tags.items()]
        self._components = {
            "schemas": components.schemas,
            "examples": components.examples,
            "securitySchemes": security_schemes,
        }
        self._info = {
            "title": "imagegallery",
            "version": _VERSION,
            "summary": "Upload sessions, images with their variants, and galleries.",
            "description": "Errors are problem details (RFC 9457): a program goes by their `code`.",
            "contact": {"name": "Who runs this service"},
            "license": {"name": "MIT", "identifier": "MIT"},
        }
        self.at = lru_cache(maxsize=16)(self._at)

    def document(self, root: str, policies: tuple[object, ...] = ()) -> JsonSchema:
        told = {"x-policies": policies} if policies else {}
        return {
            "openapi": "3.1.0",
            "info": self._info,
            "servers": [{"url": root}],
            "tags": self._tags,
            "paths": self._paths,
            "webhooks": self._webhooks,
            "components": self._components,
            **told,
        }

    def _at(self, root: str, policies: tuple[object, ...] = ()) -> bytes:
        return msgspec.json.encode(self.document(root, policies))


def _streams(operation: Operation) -> bool:
    return any(each.media_type == EVENT_STREAM for answer in operation.all_answers.values() for each in answer.content)


def _webhooks(events: EventTypes, components: Components, *, are_streamed: bool) -> Mapping[str, JsonSchema]:
    bodies = {kind.type: _event(kind, components) for kind in events.values()}
    if are_streamed:
        components.variants(EVENT, bodies, "type")
    return {kind.type: _webhook(kind, bodies[kind.type], components) for kind in events.values()}


def _event(kind: type[DomainEvent], components: Components) -> JsonSchema:
    """An event as it is posted to a webhook, and as ``data`` of a stream of events; fields may be added."""
    data = components.schema(kind)
    name = data["$ref"].rpartition("/")[2]
    described = {key: value for key, value in components.schemas[name].items() if key != "additionalProperties"}
    shown = {field: {"examples": [example]} for field, example in _EVENT_EXAMPLES.items()}
    fields_shown = {field: {**schema, **shown.get(field, {})} for field, schema in described["properties"].items()}
    components.named(name, {**described, "properties": fields_shown})
    fields: JsonSchema = {
        "id": {"type": "string", "examples": ["42"]},
        "type": {"type": "string", "const": kind.type},
        "timestamp": components.schema(Moment),
        "data": data,
    }
    meaning = described.get("description", kind.type)
    event = {"type": "object", "description": meaning, "properties": fields, "required": [*fields]}
    return components.named(f"{name}{EVENT}", event)


def _webhook(kind: type[DomainEvent], event: JsonSchema, components: Components) -> JsonSchema:
    name = event["$ref"].rpartition("/")[2].removesuffix(EVENT)
    described = components.schemas[name].get("description", kind.type)
    content = {"schema": event, **_example(event, components)}
    return {
        "post": {
            "operationId": f"receive{name}",
            "summary": described.partition("\n")[0],
            "description": f"{described}\n\nWho hears of it: {_AUDIENCES[kind.audience]}.",
            "tags": [EVENTS],
            "x-audience": kind.audience.value,
            "security": [],
            "parameters": [_header(name, meaning) for name, meaning in _SIGNED.items()],
            "requestBody": {"required": True, "content": {JSON: content}},
            "responses": {"2XX": {"description": "It has arrived: it is not posted again."}},
        }
    }


def _enumerate_codes(operations: Iterable[Operation], components: Components) -> None:
    """Name every code that a problem can have, those of a host's own operations too."""
    errors = {each for operation in operations for each in _errors(operation)} | {*_NOWHERE}
    code = components.named("ProblemCode", {"type": "string", "enum": sorted({each.code for each in errors})})
    for problem in (Problem.__name__, MessagedProblem.__name__):
        if problem in components.schemas:
            components.schemas[problem]["properties"]["code"] = code


def _paths(
    operations: Iterable[Operation], components: Components, schemes: Mapping[str, JsonSchema]
) -> dict[str, JsonSchema]:
    paths: dict[str, JsonSchema] = {}
    taken: set[str] = set()
    for operation in operations:
        path = re.sub(r"{(\w++):\w++}", r"{\1}", operation.path)
        item = paths.setdefault(path, {})
        described = {"operationId": _id(operation, taken), **_operation(operation, components, schemes)}
        item[operation.method.lower()] = described
        if operation.method == "GET" and operation.answers_head:
            item["head"] = _head(described)
    return paths


def _id(operation: Operation, taken: set[str]) -> str:
    """The name of its handler, as clients write it: ``listImages``; with its module where that is another's."""
    name = _camel(operation.handler.__name__)
    if name in taken:
        name = _camel(operation.name.replace(".", "_"))
    taken.add(name)
    return name


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(each.capitalize() for each in rest)


def _operation(operation: Operation, components: Components, schemes: Mapping[str, JsonSchema]) -> JsonSchema:
    described: JsonSchema = {
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": "\n\n".join(filter(None, (operation.description, _who(operation), _where_else(operation)))),
        "security": _security(operation, schemes),
        "parameters": [
            *_path_parameters(operation, components),
            *_query_parameters(operation, components),
            *_header_parameters(operation),
        ],
        "responses": _responses(operation, components),
    }
    if operation.permission:
        described["x-permission"] = _permissions(operation)
    if operation.role:
        described["x-role"] = operation.role.name.lower()
    if operation.for_links:
        described["x-for-links"] = True
    if operation.bodies:
        content = {each.media_type: _body(each, operation, components) for each in operation.bodies}
        described["requestBody"] = {"required": operation.needs_body, "content": content}
    return described


def _who(operation: Operation) -> str:
    """Who may ask for it, in a sentence."""
    if not operation.needs_principal:
        return "Anybody may ask."
    if operation.role:
        return f"For users with the role `{operation.role.name.lower()}`."
    asking = "users" if operation.needs_user else "users and visitors"
    if operation.permission == OWNER:
        return "For its owner."
    if operation.permission:
        needed = " and ".join(f"`{each}`" for each in _permissions(operation))
        return f"For {asking} with {needed} on what the address names."
    return f"For {asking}."


def _where_else(operation: Operation) -> str:
    """That it is below links, too. It is described once: to a client, a link is another base URL."""
    return f"Below a link: `{LINK}{operation.path}`, for who came by it." if operation.for_links else ""


def _permissions(operation: Operation) -> list[str]:
    return [str(each.name).lower() for each in operation.permission]


def _security(operation: Operation, schemes: Mapping[str, JsonSchema]) -> list[JsonSchema]:
    """Any of the schemes; nothing at all (``{}``) where visitors may ask, too."""
    if not (operation.needs_principal and schemes):
        return []
    ways: list[JsonSchema] = [{name: []} for name in schemes]
    return ways if operation.needs_user else [{}, *ways]


def _head(get: JsonSchema) -> JsonSchema:
    responses = {
        status: {
            "description": HTTPStatus(int(status)).phrase,
            **({"headers": each["headers"]} if "headers" in each else {}),
        }
        for status, each in get["responses"].items()
    }
    return {**get, "operationId": f"{get['operationId']}Head", "responses": responses}


def _path_parameters(operation: Operation, components: Components) -> list[JsonSchema]:
    return [
        _parameter(name, "path", components.schema(kind), components) for name, kind in operation.inputs.path.items()
    ]


def _query_parameters(operation: Operation, components: Components) -> list[JsonSchema]:
    if operation.inputs.query is None:
        return []
    described = components.parameters(operation.inputs.query)
    required = described.get("required", ())
    shared = described.get("description", "")
    return [
        {
            **_parameter(name, "query", schema, components, is_required=name in required, meaning=shared),
            **({"explode": False} if "items" in schema else {}),
            **({"deprecated": True} if operation.query_is_deprecated else {}),
            **({"style": "deepObject", "explode": True} if schema.get("type") == "object" else {}),
        }
        for name, schema in described["properties"].items()
    ]


def _parameter(
    name: str, place: str, schema: JsonSchema, components: Components, *, is_required: bool = True, meaning: str = ""
) -> JsonSchema:
    """A parameter with its example, if something gives one."""
    thing, _, is_id = name.rpartition("_")
    meaning = _MEANINGS.get(name) or meaning or (f"The id of the {thing}." if is_id == "id" else "")
    return {
        "name": name,
        "in": place,
        "required": is_required,
        **({"description": meaning} if meaning else {}),
        "schema": schema,
        **_example(schema, components),
    }


def _example(schema: JsonSchema, components: Components) -> JsonSchema:
    """An example, if something gives one: a host may have said nothing of its parameters and events."""
    try:
        return {"example": components.example(schema)}
    except TypeError:
        return {}


def _header_parameters(operation: Operation) -> list[JsonSchema]:
    return [
        _header(name, meaning)
        for name, meaning in {**operation.headers, **_KEYS[operation.repeats].headers, **_conditions(operation)}.items()
    ]


def _header(name: str, meaning: str) -> JsonSchema:
    return {
        "name": name,
        "in": "header",
        "description": meaning,
        "schema": {"type": "string"},
        **_header_example(name),
    }


def _headers(names: Iterable[str]) -> JsonSchema:
    """Headers that an answer always has."""
    return {name: {"schema": {"type": "string"}, "required": True, **_header_example(name)} for name in names}


def _header_example(name: str) -> JsonSchema:
    return {"example": _HEADER_EXAMPLES[name]} if name in _HEADER_EXAMPLES else {}


def _conditions(operation: Operation) -> Mapping[str, str]:
    return _CONDITIONS if operation.holds_conditions and not operation.is_safe else {}


def _responses(operation: Operation, components: Components) -> dict[str, JsonSchema]:
    answers = {str(int(status)): _answer(answer, components) for status, answer in operation.all_answers.items()}
    return {**answers, **_problems(operation, components)}


def _answer(answer: DeclaredAnswer, components: Components) -> JsonSchema:
    described: JsonSchema = {"description": answer.description}
    if answer.content:
        described["content"] = {each.media_type: _media(each, components) for each in answer.content}
    if answer.headers:
        described["headers"] = _headers(answer.headers)
    return described


def _media(content: Content, components: Components) -> JsonSchema:
    if content.document is None:
        schema = _undocumented(content.media_type)
        return {"schema": schema} if content.example is None else {"schema": schema, "example": content.example}
    schema = components.schema(content.document)
    return {"schema": schema, "example": components.example(schema)}


def _undocumented(media_type: str) -> JsonSchema:
    """What is no document of ours: a text, somebody else's JSON, or bytes.

    Bytes have the word of OpenAPI 3.1 (``contentMediaType``) and that of 3.0 (``format``), which is what
    generators of clients know.
    """
    if media_type == JSON:
        return {"type": "object"}
    if media_type == EVENT_STREAM:
        return _STREAM
    if media_type.startswith("text/") or media_type == "application/xml":
        return {"type": "string"}
    return {"type": "string", "format": "binary", "contentMediaType": media_type}


def _body(content: Content, operation: Operation, components: Components) -> JsonSchema:
    """``x-max-bytes`` is the limit; for files the service's settings have it."""
    limit = {"x-max-bytes": operation.json_limit} if content.media_type == JSON else {}
    return {**_media(content, components), **limit}


def _problems(operation: Operation, components: Components) -> dict[str, JsonSchema]:
    """One response per status; its description names every code with it, and each has its example."""
    by_status: dict[int, dict[str, type[ImageGalleryError]]] = {}
    for error in _errors(operation):
        by_status.setdefault(row_of(error).status.value, {}).setdefault(error.code, error)
    schema = components.schema(MessagedProblem if operation.tells_message else Problem)
    return {
        str(status): {
            "description": "; ".join(f"`{code}`: {row_of(error).title}" for code, error in errors.items()),
            "content": {PROBLEM_TYPE: {"schema": schema, "examples": _problem_examples(operation, components, errors)}},
            "headers": _headers(_headers_with(status)),
        }
        for status, errors in sorted(by_status.items())
    }


def _problem_examples(
    operation: Operation, components: Components, errors: Mapping[str, type[ImageGalleryError]]
) -> JsonSchema:
    examples: JsonSchema = {}
    for code, error in errors.items():
        name = f"{row_of(error).status.value}_{code}{'_with_message' if operation.tells_message else ''}"
        if name not in components.examples:
            components.examples[name] = {"value": _problem_example(error, tells_message=operation.tells_message)}
        examples[code] = {"$ref": f"#/components/examples/{name}"}
    return examples


def _problem_example(error: type[ImageGalleryError], *, tells_message: bool) -> object:
    """The problem document of an error of this class, with its docstring."""
    return msgspec.to_builtins(problem_document(_raised(error), _ID, tells_message=tells_message))


def _raised(error: type[ImageGalleryError]) -> ImageGalleryError:
    message = inspect.cleandoc(error.__doc__ or "").partition("\n\n")[0].replace("\n", " ").replace("`", "")
    if issubclass(error, BadImage):
        return error("truncated", "The file ends early.")
    if issubclass(error, OffsetMismatch):
        return error(expected=1_048_576, provided=0)
    if issubclass(error, RateLimited | Overloaded):
        return error(message, retry_after=30)
    if error is InvalidInput:
        return InvalidInput("The input is not valid: name is required.", [Fault(("body", "name"), "is required")])
    if issubclass(error, DuplicateImage):
        return error(message, image_id=_ID)
    return error(message)


def _headers_with(status: int) -> tuple[str, ...]:
    extra: Mapping[int, tuple[str, ...]] = {
        401: ("WWW-Authenticate",),
        416: ("Content-Range",),
        308: ("Location",),
        429: ("Retry-After",),
        503: ("Retry-After",),
    }
    return ("X-Request-ID", *extra.get(status, ()))


def _errors(operation: Operation) -> Iterable[type[ImageGalleryError]]:
    yield from _ALWAYS
    yield from operation.raises
    if operation.needs_principal:
        yield from _WITH_PRINCIPAL
    yield from _KEYS[operation.repeats].raises
    if operation.bodies:
        yield from _WITH_BODY
    if any(content.media_type == JSON for content in operation.bodies):
        yield from _WITH_JSON
    elif operation.inputs.path or operation.inputs.query:
        yield InvalidInput
