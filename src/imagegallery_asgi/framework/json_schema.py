"""Types to JSON Schema 2020-12 as OpenAPI 3.1 wants it, by msgspec; and examples put together from schemas. Pure."""

import json
from collections.abc import Callable, Mapping, Sequence
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

# The field that tells several kinds of one document apart.
KIND = "kind"
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

    def variants(self, name: str, members: Mapping[str, JsonSchema], by: str) -> JsonSchema:
        """A reference to a schema of this name that is one of its members; the field ``by`` says which."""
        self.schemas[name] = _one_of(members, by)
        return reference(name)

    def named(self, name: str, schema: JsonSchema) -> JsonSchema:
        """A reference to a schema, which gets this name."""
        self.schemas[name] = schema
        return reference(name)

    def example(self, schema: JsonSchema) -> object:
        """A value of the schema. Raises `TypeError` if nothing gives an example."""
        match schema:
            case {"examples": [first, *_]} | {"enum": [first, *_]} | {"const": first}:
                return first
            case {"$ref": name}:
                return self.example(self.schemas[name.removeprefix(_PLACE)])
            case {"anyOf": [first, *_]} | {"oneOf": [first, *_]}:
                return self.example(first)
            case {"properties": fields}:
                return {name: self.example(field) for name, field in fields.items()}
            case {"items": entry}:
                return [self.example(entry)]
            case {"type": "object"}:
                return {}
            case {"default": value} if value is not None:
                return value
            case {"type": "boolean"}:
                return False
            case {"type": "integer", "minimum": least}:
                return least
            case {"format": ("uuid" | "date-time") as name}:
                return _BY_FORMAT[name]
        raise TypeError(f"{schema} has no example: say what it is like with example()")


@cache
def _schemas(form: TypeForm) -> tuple[JsonSchema, Mapping[str, JsonSchema]]:
    """The schema of a type, and the schemas that it refers to by name."""
    forms = get_args(form) if originates(*UNIONS)(form) else (form,)
    described = msgspec.json.encode(msgspec.json.schema_components(forms, ref_template="{name}"))
    schemas, tidied = json.loads(described, object_hook=_tidy)
    named = {_public(name): each for name, each in tidied.items() if name != Unset.__name__}
    return schemas[0] if len(schemas) == 1 else _union(schemas, named), named


def _union(members: Sequence[JsonSchema], named: Mapping[str, JsonSchema]) -> JsonSchema:
    """One of several schemas. The ``kind`` of documents, if it is a constant, says which."""
    kinds = {kind: member for member in members if (kind := _kind(member, named))}
    return _one_of(kinds, KIND) if len(kinds) == len(members) else {"anyOf": [*members]}


def _kind(member: JsonSchema, named: Mapping[str, JsonSchema]) -> str | None:
    described = named.get(member.get("$ref", "").removeprefix(_PLACE), {})
    match described.get("properties", {}).get(KIND):
        case {"enum": [str(kind)]}:
            return kind
    return None


def _one_of(members: Mapping[str, JsonSchema], by: str) -> JsonSchema:
    mapping = {value: member["$ref"] for value, member in members.items()}
    return {"oneOf": [*members.values()], "discriminator": {"propertyName": by, "mapping": mapping}}


def reference(name: str) -> JsonSchema:
    """A schema that refers to the one of this name."""
    return {"$ref": _PLACE + name}


def _tidy(schema: JsonSchema) -> JsonSchema:
    """What msgspec says of one schema or object of it, without what never travels: our names, and `Unset`."""
    if "$ref" in schema:
        return {**schema, "$ref": _PLACE + _public(schema["$ref"])}
    if "properties" in schema:
        kept = {key: value for key, value in schema.items() if key != "title" and value != []}
        return {**kept, "additionalProperties": schema["title"] in {each.__name__ for each in Open.__subclasses__()}}
    if schema.get("type") == "object":
        return {"additionalProperties": True, **schema}
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
