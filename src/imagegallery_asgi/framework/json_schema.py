"""Types to JSON Schema 2020-12 as OpenAPI 3.1 wants it, by msgspec; and examples put together from schemas. Pure."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec

from imagegallery.common.unset import Unset
from imagegallery_asgi.framework.constraints import NOTHING_KEY, Open

# A type as `typing` writes it: a class, or a union or generic one, which is no `type`.
TypeForm = Any
JsonSchema = dict[str, Any]
UNIONS = (Union, UnionType)

_PLACE = "#/components/schemas/"
_BY_FORMAT = {"uuid": "01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52", "date-time": "2026-06-01T12:30:00Z"}


class Components:
    """The named schemas and examples that a description refers to, collected on use."""

    def __init__(self) -> None:
        self.schemas: dict[str, JsonSchema] = {}
        self.examples: dict[str, JsonSchema] = {}

    def schema(self, form: TypeForm) -> JsonSchema:
        """The schema of a type; a class of fields becomes a reference to its own, named one."""
        schema, named = _schemas(form)
        self.schemas.update(named)
        return schema

    def parameters(self, cls: type) -> JsonSchema:
        """The schema of a class of parameters, which are absent, never null."""
        _, named = _schemas(cls)
        self.schemas.update((name, schema) for name, schema in named.items() if name != cls.__name__)
        own = named[cls.__name__]
        fields = {name: _without({"type": "null"}, schema) for name, schema in own["properties"].items()}
        return {**own, "properties": fields}

    def example(self, schema: JsonSchema) -> object:
        """A value of the schema. Raises `TypeError` if nothing gives an example."""
        match schema:
            case {"examples": [first, *_]} | {"enum": [first, *_]}:
                return first
            case {"$ref": name}:
                return self.example(self.schemas[name.removeprefix(_PLACE)])
            case {"anyOf": [first, *_]}:
                return self.example(first)
            case {"properties": fields}:
                return {name: self.example(field) for name, field in fields.items()}
            case {"items": entry}:
                return [self.example(entry)]
            case {"type": "object"}:
                return {}
            case {"type": "boolean"}:
                return False
            case {"format": ("uuid" | "date-time") as name}:
                return _BY_FORMAT[name]
        raise TypeError(f"{schema} has no example: say what it is like with example()")


@cache
def _schemas(form: TypeForm) -> tuple[JsonSchema, Mapping[str, JsonSchema]]:
    """The schema of a type, and the schemas that it refers to by name."""
    forms = get_args(form) if originates(*UNIONS)(form) else (form,)
    described = msgspec.json.encode(msgspec.json.schema_components(forms, ref_template="{name}"))
    schemas, named = json.loads(described, object_hook=_tidy)
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}, {
        _public(name): each for name, each in named.items() if name != Unset.__name__
    }


def _tidy(schema: JsonSchema) -> JsonSchema:
    """What msgspec says of one schema or object of it, without what never travels: our names, and `Unset`."""
    if "$ref" in schema:
        return {**schema, "$ref": _PLACE + _public(schema["$ref"])}
    if "properties" in schema:
        kept = {key: value for key, value in schema.items() if key != "title" and value != []}
        return {**kept, "additionalProperties": schema["title"] in {each.__name__ for each in Open.__subclasses__()}}
    if "enum" in schema:
        return {"type": "string", **schema}
    if schema.get("format") == "uuid":
        return {**schema, "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"}
    if "anyOf" not in schema:
        return schema
    if nothing := schema.pop(NOTHING_KEY, None):
        schema["anyOf"].append({"type": "string", "enum": nothing})
    known = _without({"$ref": _PLACE + Unset.__name__}, schema)
    if known is not schema or schema.get("default") is None:
        known.pop("default", None)
    return known


def _without(member: JsonSchema, schema: JsonSchema) -> JsonSchema:
    """A schema, or the rest of its alternatives without one of them."""
    if member not in schema.get("anyOf", ()):
        return schema
    rest = dict(schema)
    others = [each for each in rest.pop("anyOf") if each != member]
    return {**others[0], **rest} if len(others) == 1 else {"anyOf": others, **rest}


def originates(*origins: object) -> Callable[[TypeForm], bool]:
    """Whether a type is one of them with arguments: ``tuple[int, ...]`` is of `tuple`, ``int | None`` of `UNIONS`."""
    return lambda form: get_origin(form) in origins


def _public(name: str) -> str:
    """The public name: ``ImageDocument`` is ``Image``, ``One[ImageDocument]`` is ``OneImage``."""
    return name.replace("Document", "").replace("_", "")
