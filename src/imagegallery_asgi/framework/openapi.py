"""The OpenAPI 3.1 description, from the code: the operations, their classes and the table of errors. Pure."""

import inspect
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
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
from imagegallery.errors import Fault, IdempotencyKeyReused, OffsetMismatch, Overloaded
from imagegallery.events.event import DomainEvent, EventTypes
from imagegallery.gallery import EVENT_TYPES
from imagegallery_asgi.framework.errors import (
    PROBLEM_TYPE,
    BodyStalled,
    HeadTooLarge,
    InternalError,
    KeyNotTaken,
    MalformedRequest,
    MessagedProblem,
    Problem,
    StaleCondition,
    UnsupportedBody,
    problem_document,
    row_of,
)
from imagegallery_asgi.framework.headers import IDEMPOTENCY_KEY
from imagegallery_asgi.framework.json_schema import Components, JsonSchema
from imagegallery_asgi.framework.operations import JSON, Content, DeclaredAnswer, Operation, Repeats

_VERSION = version("imagegallery")
# In examples.
_ID = "01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52"
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
    """The description of ``operations`` and ``events``; ``at`` renders it for the address where the API is mounted."""

    def __init__(self, operations: Iterable[Operation], events: EventTypes = EVENT_TYPES) -> None:
        components = Components()
        self._paths = _paths(operations, components)
        self._webhooks = {kind.type: _webhook(kind, components) for kind in events.values()}
        self._components = {
            "schemas": components.schemas,
            "examples": components.examples,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        }
        self._info = {
            "title": "imagegallery",
            "version": _VERSION,
            "description": "Upload sessions, images with their variants, and galleries.",
        }
        self.at = lru_cache(maxsize=16)(self._at)

    def document(self, root: str) -> JsonSchema:
        return {
            "openapi": "3.1.0",
            "info": self._info,
            "servers": [{"url": root}],
            "paths": self._paths,
            "webhooks": self._webhooks,
            "components": self._components,
        }

    def _at(self, root: str) -> bytes:
        return msgspec.json.encode(self.document(root))


def _webhook(kind: type[DomainEvent], components: Components) -> JsonSchema:
    """An event as it is posted to a webhook, and as ``data`` of a stream of events; fields may be added."""
    data = components.schema(kind)
    described = components.schemas[data["$ref"].rpartition("/")[2]]
    described.pop("additionalProperties", None)
    fields = {"id": {"type": "string"}, "type": {"const": kind.type}, "timestamp": components.schema(datetime)}
    schema = {"type": "object", "properties": {**fields, "data": data}, "required": [*fields, "data"]}
    return {
        "post": {
            "operationId": kind.type.replace(".", "_"),
            "summary": described.get("description", kind.type).partition("\n")[0],
            "tags": ["events"],
            "x-audience": kind.audience.value,
            "requestBody": {"required": True, "content": {JSON: {"schema": schema}}},
            "responses": {"2XX": {"description": "It has arrived: it is not posted again."}},
        }
    }


def _paths(operations: Iterable[Operation], components: Components) -> dict[str, JsonSchema]:
    paths: dict[str, JsonSchema] = {}
    for operation in operations:
        path = re.sub(r"{(\w++):\w++}", r"{\1}", operation.path)
        item = paths.setdefault(path, {})
        item[operation.method.lower()] = _operation(operation, components)
        if operation.method == "GET" and operation.answers_head:
            item["head"] = _head(operation, components)
    return paths


def _operation(operation: Operation, components: Components) -> JsonSchema:
    described: JsonSchema = {
        "operationId": operation.name.replace(".", "_"),
        "tags": [operation.package],
        "summary": operation.summary,
        "parameters": [
            *_path_parameters(operation, components),
            *_query_parameters(operation, components),
            *_header_parameters(operation),
        ],
        "responses": _responses(operation, components),
    }
    if operation.permission:
        described["x-permission"] = [str(each.name).lower() for each in operation.permission]
    if operation.needs_principal:
        described["security"] = [{}, {"bearer": []}]
    if operation.bodies:
        content = {each.media_type: _body(each, operation, components) for each in operation.bodies}
        described["requestBody"] = {"required": operation.needs_body, "content": content}
    return described


def _head(operation: Operation, components: Components) -> JsonSchema:
    described = _operation(operation, components)
    described["operationId"] = f"{described['operationId']}_head"
    described["responses"] = {
        status: {"description": HTTPStatus(int(status)).phrase} for status in _responses(operation, components)
    }
    return described


def _path_parameters(operation: Operation, components: Components) -> list[JsonSchema]:
    return [
        {"name": name, "in": "path", "required": True, "schema": components.schema(kind)}
        for name, kind in operation.inputs.path.items()
    ]


def _query_parameters(operation: Operation, components: Components) -> list[JsonSchema]:
    if operation.inputs.query is None:
        return []
    described = components.parameters(operation.inputs.query)
    meaning = {"description": described["description"]} if "description" in described else {}
    return [
        {"name": name, "in": "query", "schema": schema, **meaning, **({"explode": False} if "items" in schema else {})}
        for name, schema in described["properties"].items()
    ]


def _header_parameters(operation: Operation) -> list[JsonSchema]:
    return [
        {"name": name, "in": "header", "description": meaning, "schema": {"type": "string"}}
        for name, meaning in {**operation.headers, **_KEYS[operation.repeats].headers, **_conditions(operation)}.items()
    ]


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
        described["headers"] = {name: {"schema": {"type": "string"}, "required": True} for name in answer.headers}
    return described


def _media(content: Content, components: Components) -> JsonSchema:
    if content.document is None:
        return {} if content.example is None else {"example": content.example}
    schema = components.schema(content.document)
    return {"schema": schema, "example": components.example(schema)}


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
            "headers": {name: {"schema": {"type": "string"}, "required": True} for name in _headers_with(status)},
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
