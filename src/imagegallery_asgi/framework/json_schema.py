"""Types to JSON Schema 2020-12: the classes of `requests` and `responses`, as OpenAPI 3.1 wants them. Pure."""

import inspect
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from types import NoneType
from typing import Literal
from uuid import UUID

import attrs

from imagegallery.common.unset import Unset
from imagegallery_asgi.framework.annotations import TypeForm, arguments_of, is_annotated, is_union, origin_of
from imagegallery_asgi.framework.constraints import UUID_TEXT, Constraint, JsonSchema, Nothing

_PLAIN: Mapping[TypeForm, JsonSchema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    UUID: {"type": "string", "format": "uuid", **UUID_TEXT.schema()},
    datetime: {"type": "string", "format": "date-time"},
    bytes: {"type": "string", "format": "binary"},
}


class Components:
    """The named schemas and examples that a description refers to, collected as they are asked for."""

    def __init__(self) -> None:
        self.schemas: dict[str, JsonSchema] = {}
        self.examples: dict[str, JsonSchema] = {}

    def schema(self, form: TypeForm) -> JsonSchema:
        """The schema of a type; a class of fields becomes a reference to its own, named one."""
        if form in _PLAIN:
            return dict(_PLAIN[form])
        origin, arguments = origin_of(form), arguments_of(form)
        if is_annotated(form):
            return self._constrained(arguments[0], arguments[1:])
        if is_union(form):
            return self._any_of([each for each in arguments if each is not Unset])
        if origin is Literal:
            return {"type": "string", "enum": list(arguments)}
        if origin is tuple:
            return {"type": "array", "items": self.schema(arguments[0])}
        if inspect.isclass(origin) and issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": self.schema(arguments[1])}
        if inspect.isclass(form) and issubclass(form, Enum):
            return {"type": "string", "enum": [member.value for member in form]}
        return self._reference(form)

    def _constrained(self, base: TypeForm, annotations: tuple[object, ...]) -> JsonSchema:
        schema = self.schema(base)
        for constraint in annotations:
            if isinstance(constraint, Nothing):
                schema = _or(schema, constraint.schema())
            elif isinstance(constraint, Constraint):
                schema |= constraint.schema()
        return schema

    def _any_of(self, members: list[TypeForm]) -> JsonSchema:
        schemas = [self.schema(member) for member in members]
        return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}

    def _reference(self, form: TypeForm) -> JsonSchema:
        name = name_of(form)
        if name not in self.schemas:
            self.schemas[name] = {}  # a place for classes that refer to themselves
            self.schemas[name] = self._object(form)
        return {"$ref": f"#/components/schemas/{name}"}

    def _object(self, form: TypeForm) -> JsonSchema:
        cls, arguments = origin_of(form) or form, arguments_of(form)
        schema: JsonSchema = {"type": "object"}
        if description := description_of(cls):
            schema["description"] = description
        fields = attrs.fields(cls)
        schema["properties"] = {field.name: self.field(field, arguments) for field in fields}
        if required := [field.name for field in fields if field.default is attrs.NOTHING]:
            schema["required"] = required
        schema["additionalProperties"] = is_open(cls)
        return schema

    def field(self, field: "attrs.Attribute[object]", arguments: tuple[TypeForm, ...] = ()) -> JsonSchema:
        """The schema of one field; ``arguments`` take the place of a generic class's type variables."""
        schema = self.schema(type_of(field, arguments))
        if field.default not in (attrs.NOTHING, None, Unset.UNSET):
            schema["default"] = field.default.value if isinstance(field.default, Enum) else field.default
        return schema


def type_of(field: "attrs.Attribute[object]", arguments: tuple[TypeForm, ...] = ()) -> TypeForm:
    """The type of a field; ``arguments`` take the place of a generic class's type variables."""
    form: TypeForm = field.type
    if getattr(form, "__parameters__", ()):
        return form[arguments]
    if arguments and type(form).__name__ == "TypeVar":
        return arguments[0]
    return form


def name_of(form: TypeForm) -> str:
    """``ImageDocument`` is ``Image`` to the world, ``One[ImageDocument]`` is ``OneImage``."""
    cls = origin_of(form) or form
    base: str = cls.__name__.removesuffix("Document")
    return base + "".join(map(name_of, arguments_of(form)))


def is_open(cls: type) -> bool:
    """Whether an object may have fields beside those of its class, which are passed over."""
    return bool(getattr(cls, "MORE_FIELDS", False))


def description_of(cls: type) -> str | None:
    """The class's own docstring, if it wrote one."""
    text = cls.__dict__.get("__doc__")
    return inspect.cleandoc(text) if text and not text.startswith("Method generated") else None


def _or(schema: JsonSchema, other: JsonSchema) -> JsonSchema:
    members = schema.get("anyOf")
    return {"anyOf": [*(members if isinstance(members, list) else [schema]), other]}
