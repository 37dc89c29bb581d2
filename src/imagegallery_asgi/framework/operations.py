"""One HTTP operation as a value: what its handler is declared as, `endpoint` runs and `openapi` describes.

A handler's signature says what it needs, so that parsing and description cannot disagree with it: parameters
named like ``{parts}`` of the path, ``query`` (a class of query parameters), ``body`` (a class of JSON body).
What it returns is the document of the answer, or ``None`` for 204, or a whole `Response`.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from http import HTTPStatus
from types import ModuleType, NoneType
from typing import Concatenate, Final, ParamSpec, TypeVar, get_type_hints

from attrs import evolve, field, frozen
from starlette.responses import Response

from imagegallery import ImageGalleryError, Permission, Role
from imagegallery_asgi.framework.json_schema import TypeForm

Handler = Callable[..., Awaitable[object]]
P = ParamSpec("P")
H = TypeVar("H", bound=Handler)

JSON = "application/json"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
JSON_LIMIT = 64 * 1024
LINK: Final = "/s/{link}"
"""The path of a share's link: its token, or its name."""


@frozen
class Content:
    """A body, for the description: a media type and the class of its document (``None``: bytes).

    ``example`` is for a text; a document's is composed from its fields.
    """

    media_type: str
    document: TypeForm = None
    example: object = None


class Repeats(Enum):
    """The effect of a repeated request with an ``Idempotency-Key``."""

    HARMLESS = "nothing is made by it, so that the key need not be looked at"
    KEYED = "it is answered with what was made before"
    REFUSED = "it would make a second thing, so that a request with a key is refused"


@frozen
class DeclaredAnswer:
    """A documented response. ``headers`` are names of headers that it always has."""

    description: str
    content: tuple[Content, ...] = ()
    headers: tuple[str, ...] = ()


@frozen
class Inputs:
    """A handler's input: path parameters with their types, and the classes of query and JSON body."""

    path: Mapping[str, type]
    query: type | None
    body: type | None
    answer: TypeForm

    @classmethod
    def of(cls, handler: Handler, path: str) -> "Inputs":
        """``path`` is without what is not the handler's to know."""
        hints = get_type_hints(handler, include_extras=True)
        names = re.findall(r"{(\w++)(?::\w++)?}", path)
        taken = set(inspect.signature(handler).parameters) - {"call"}
        if taken - {"query", "body"} != set(names):
            raise TypeError(f"{handler.__qualname__} takes {sorted(taken)}, but its path has {names}")
        return cls({name: hints[name] for name in names}, hints.get("query"), hints.get("body"), hints["return"])


@frozen
class Operation:
    """``path`` is below the API's prefix. ``permission`` is what it takes on the thing that the path names, which the
    service decides; ``NONE`` where it names none, or is itself the permission. ``role`` is what the user must be.
    ``raises`` are the domain errors beyond those any operation has.

    ``consumes`` and ``answers`` describe what the signature cannot: bodies the handler reads by itself, and the
    answers of a handler that returns a `Response`; ``headers`` are those of the request that it reads, each with what
    it means. ``needs_principal`` is false where the address itself is the permission, ``needs_body`` where the body
    may be left out. ``is_safe``: it changes nothing (RFC 9110 section 9.2.1); there are protocols that begin something
    with a GET. Where an operation ``needs_user``, visitors are turned away before anything is read: that is
    whatever changes something, unless it says otherwise. A JSON body has at most ``json_limit`` bytes. With
    ``names_any_id`` an id of another form than ours is one that does not exist. ``repeats`` says what
    ``Idempotency-Key`` means. ``holds_conditions``: it looks at ``If-Match`` and its like itself; elsewhere nothing
    has an ETag, so that none that is named can be there. With ``tells_message`` its problems have a ``message`` too.
    Any GET answers HEAD too; ``answers_head`` says that this is worth describing. ``also_at`` is another path of the
    same, which no description has: there it could be read as one of another operation (OpenAPI 3.1, "Path Templating
    Matching"). ``query_is_deprecated``: clients should send none any more. ``for_links``: it is also below each share's
    link, for who came by it (`below_link`); ``by_link``: it is there, and its principal is the link alone.
    """

    handler: Handler
    method: str
    path: str
    summary: str
    permission: Permission = field(kw_only=True)
    role: Role = field(default=Role.MEMBER, kw_only=True)
    status: HTTPStatus = HTTPStatus.OK
    raises: tuple[type[ImageGalleryError], ...] = ()
    consumes: tuple[Content, ...] = ()
    answers: Mapping[int, DeclaredAnswer] = field(factory=dict)
    headers: Mapping[str, str] = field(factory=dict)
    needs_principal: bool = True
    is_safe: bool = field()
    needs_user: bool = field()
    needs_body: bool = True
    names_any_id: bool = False
    repeats: Repeats = Repeats.HARMLESS
    holds_conditions: bool = False
    json_limit: int = JSON_LIMIT
    tells_message: bool = False
    answers_head: bool = False
    also_at: str | None = None
    query_is_deprecated: bool = False
    for_links: bool = False
    by_link: bool = field(default=False, kw_only=True)
    inputs: Inputs = field(init=False)
    is_of_link: bool = field(init=False)
    """Whether its address has the token of a link in it."""

    @is_safe.default
    def _has_safe_method(self) -> bool:
        return self.method in SAFE_METHODS

    @needs_user.default
    def _changes_something(self) -> bool:
        return self.needs_principal and (not self.is_safe or self.role is not Role.MEMBER)

    @inputs.default
    def _read_signature(self) -> Inputs:
        return Inputs.of(self.handler, self.path.removeprefix(LINK) if self.by_link else self.path)

    @is_of_link.default
    def _has_link_in_path(self) -> bool:
        return LINK in self.path

    @property
    def below_link(self) -> "Operation":
        """The same below a share's link, by the same handler."""
        also_at = None if self.also_at is None else LINK + self.also_at
        return evolve(self, path=LINK + self.path, also_at=also_at, by_link=True, needs_user=False)

    @property
    def name(self) -> str:
        """Unique: the package and the handler, ``galleries.create``."""
        return f"{self.handler.__module__.rpartition('.')[2]}.{self.handler.__name__}"

    @property
    def tag(self) -> str:
        """What it is about: the module of its handler, or the package of a module that is named for all handlers."""
        *packages, module = self.handler.__module__.split(".")
        return packages[-1] if packages and module == "handlers" else module

    @property
    def about(self) -> str:
        """What all operations of its ``tag`` are about: the first sentence of their module."""
        module = inspect.getmodule(self.handler)
        return _first_paragraph(module) or f"Operations of {self.tag}."

    @property
    def description(self) -> str:
        """What its handler says of it; else nothing."""
        return inspect.cleandoc(self.handler.__doc__ or "")

    @property
    def bodies(self) -> tuple[Content, ...]:
        """Every kind of body it takes."""
        return (Content(JSON, self.inputs.body),) if self.inputs.body else self.consumes

    @property
    def all_answers(self) -> Mapping[int, DeclaredAnswer]:
        """Its successful answers by status."""
        if self.inputs.answer is Response:
            return self.answers
        if self.inputs.answer is NoneType:
            return {HTTPStatus.NO_CONTENT: DeclaredAnswer("Done.")}
        return {self.status: DeclaredAnswer("Success.", (Content(JSON, self.inputs.answer),)), **self.answers}


def _first_paragraph(module: ModuleType | None) -> str:
    text = inspect.cleandoc((module and module.__doc__) or "")
    return " ".join(text.partition("\n\n")[0].split())


def _declaring(
    make: Callable[Concatenate[Handler, P], Operation],
) -> Callable[[list[Operation]], Callable[P, Callable[[H], H]]]:
    def into(table: list[Operation]) -> Callable[P, Callable[[H], H]]:
        def operation(*arguments: P.args, **declared: P.kwargs) -> Callable[[H], H]:
            def declare(handler: H) -> H:
                table.append(make(handler, *arguments, **declared))
                return handler

            return declare

        return operation

    return into


# The decorator that declares handlers as operations of a table: ``operation = declaring(OPERATIONS)``. It takes what
# `Operation` does, but for the handler.
declaring = _declaring(Operation)
