"""Types as values: what `parsing` and `json_schema` ask about the annotations of the request classes. Pure."""

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

# A type as `typing` writes it: a class, or a union or generic one, which is no `type`.
TypeForm = Any


def origin_of(form: TypeForm) -> TypeForm:
    """``list[int]`` to ``list``; `typing.Annotated` of annotated types; ``None`` of a plain class."""
    return Annotated if hasattr(form, "__metadata__") else get_origin(form)


def arguments_of(form: TypeForm) -> tuple[TypeForm, ...]:
    return get_args(form)


def is_annotated(form: TypeForm) -> bool:
    return origin_of(form) is Annotated


def is_union(form: TypeForm) -> bool:
    return origin_of(form) in (Union, UnionType)
