"""Examples of documents, put together from those of their fields (`constraints.Example`), and of problems. Pure."""

import inspect
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from types import NoneType
from typing import Final, Literal
from uuid import UUID

import attrs
import msgspec

from imagegallery import BadImage, DuplicateImage, ImageGalleryError, InvalidInput, RateLimited
from imagegallery.common.unset import UNSET, Unset
from imagegallery.errors import Fault, OffsetMismatch, Overloaded
from imagegallery_asgi.framework.annotations import TypeForm, arguments_of, is_annotated, is_union, origin_of
from imagegallery_asgi.framework.constraints import Example
from imagegallery_asgi.framework.errors import problem_document
from imagegallery_asgi.framework.json_schema import type_of

REQUEST_ID: Final = "01940c7e-9a3b-7c55-8e07-1d2c3b4a5f60"
_ID: Final = "01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52"
_PLAIN: Mapping[TypeForm, object] = {
    bool: False,
    NoneType: None,
    UUID: _ID,
    datetime: "2026-06-01T12:30:00Z",
    bytes: "(the bytes of the file)",
}


def example_of(form: TypeForm) -> object:
    """A value of this type as JSON has it. Raises `TypeError` for one of which nothing says what it is like."""
    if is_annotated(form):
        base, *annotations = arguments_of(form)
        given = [each.value for each in annotations if isinstance(each, Example)]
        return given[0] if given else example_of(base)
    if form in _PLAIN:
        return _PLAIN[form]
    origin, arguments = origin_of(form), arguments_of(form)
    if is_union(form):
        return example_of(next(each for each in arguments if each not in (NoneType, Unset)))
    if origin is Literal:
        return arguments[0]
    if origin is tuple:
        return [example_of(arguments[0])]
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return {}
    if inspect.isclass(form) and issubclass(form, Enum):
        return next(iter(form)).value
    if attrs.has(origin or form):
        return _object(origin or form, arguments)
    raise TypeError(f"{form} has no example: say what it is like with Example")


def _object(cls: type, arguments: tuple[TypeForm, ...]) -> dict[str, object]:
    values = {field.name: example_of(type_of(field, arguments)) for field in attrs.fields(cls)}
    return {name: value for name, value in values.items() if value is not UNSET}


def problem_example(error: type[ImageGalleryError], *, tells_message: bool) -> object:
    """The problem document of an error of this class, which says what its docstring says."""
    document = problem_document(_raised(error), REQUEST_ID, tells_message=tells_message)
    return msgspec.to_builtins(document)


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
