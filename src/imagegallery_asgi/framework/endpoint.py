"""One path of the API: selects the operation, parses its input, calls its handler, encodes the result."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from imagegallery import ImageGallery, NotFound, Principal, Unauthenticated
from imagegallery.access.decision import require_role
from imagegallery.audit.entry import Origin
from imagegallery.audit.origin import coming_from, origin_of
from imagegallery.errors import Fault
from imagegallery_asgi.framework.bodies import read_json
from imagegallery_asgi.framework.context import Call, Host, RequestCheck, client_address, exchange_of
from imagegallery_asgi.framework.errors import KeyNotTaken, MethodNotAllowed, StaleCondition
from imagegallery_asgi.framework.headers import IDEMPOTENCY_KEY, has_tag, listed, names
from imagegallery_asgi.framework.links import HEADERS, make_private, open_link
from imagegallery_asgi.framework.operations import SAFE_METHODS, Operation, Repeats
from imagegallery_asgi.framework.parsing import parse_pairs, parse_text, raise_faults, split_query


class Endpoint:
    """An ASGI application for all operations of one path. ``HEAD`` is ``GET`` without the body."""

    def __init__(self, host: Host, path: str, operations: Iterable[Operation]) -> None:
        self._host = host
        self._path = path
        self._operations: dict[str, Operation] = {}
        for operation in operations:
            if operation.method in self._operations:
                raise ValueError(f"{operation.method} {path} is there twice.")
            self._operations[operation.method] = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        exchange = exchange_of(request)
        exchange.route = self._path
        exchange.tells_message = any(operation.tells_message for operation in self._operations.values())
        with coming_from(lambda: self._origin(request)):
            response = await self._guarded_answer(self._operation_for(request), request)
            await response(scope, receive, _without_body(send) if request.method == "HEAD" else send)

    async def _guarded_answer(self, operation: Operation, request: Request) -> Response:
        """The answer, which is private where the address has a link in it."""
        if not operation.is_of_link:
            return await self._answer(operation, request)
        exchange_of(request).error_headers["X-Robots-Tag"] = HEADERS["X-Robots-Tag"]
        response = await self._answer(operation, request)
        make_private(response)
        return response

    def _origin(self, request: Request) -> Origin:
        """From where the request comes, as far as the settings let it be kept."""
        options = self._host.gallery_for(request).settings.audit
        agent = request.headers.get("User-Agent")
        return origin_of(options, client_address(request), exchange_of(request).request_id, agent)

    def _operation_for(self, request: Request) -> Operation:
        method = "GET" if request.method == "HEAD" else request.method
        if method not in self._operations:
            allowed = set(self._operations) | ({"HEAD"} if "GET" in self._operations else set())
            exchange_of(request).error_headers["Allow"] = ", ".join(sorted(allowed))
            raise MethodNotAllowed("This address does not take that method.")
        return self._operations[method]

    async def _answer(self, operation: Operation, request: Request) -> Response:
        # Authentication comes before parsing: a stranger learns nothing from the faults of their input.
        if isinstance(self._host.authenticate, RequestCheck):
            self._host.authenticate.check(request, is_safe=operation.is_safe)
        gallery = self._host.gallery_for(request)
        principal = await self._principal(operation, request, gallery)
        if operation.needs_user:
            require_role(operation.role, principal)
        _check_key(operation, request)
        if not operation.holds_conditions:
            refuse_conditions(request, is_there="GET" in self._operations and operation.needs_principal)
        arguments = await _parse(operation, request)
        call = Call(self._host, request, gallery, principal, operation.json_limit)
        result = await operation.handler(call, **arguments)
        if isinstance(result, Response):
            return result
        response = encoded(result, operation.status, call.headers)
        for cookie in call.cookies:
            response.headers.append("Set-Cookie", cookie)
        return response

    async def _principal(self, operation: Operation, request: Request, gallery: ImageGallery) -> Principal:
        """The principal, after rate limiting. If the address is the permission, nobody is counted."""
        if not operation.needs_principal:
            return Principal.anonymous()
        if operation.by_link:
            return (await open_link(gallery, request, begins=False)).principal
        try:
            principal = await self._host.principal_of(request)
        except Unauthenticated:
            # Rate-limit failed authentication as anonymous.
            await gallery.server.rates.admit_request(Principal.anonymous(), client_address(request))
            raise
        await gallery.server.rates.admit_request(principal, client_address(request))
        return principal


def _check_key(operation: Operation, request: Request) -> None:
    """Raise `KeyNotTaken` for a key that would have no effect: its client relies on it."""
    if operation.repeats is Repeats.REFUSED and IDEMPOTENCY_KEY in request.headers:
        raise KeyNotTaken("This request cannot be repeated under an Idempotency-Key; send it without one.")


def refuse_conditions(request: Request, *, is_there: bool) -> None:
    """Raise `StaleCondition` for a condition on something without ETag and date, which cannot hold (RFC 9110 section
    13.1). ``is_there``: but it exists, which is all that ``*`` requires."""
    if_match, if_none_match = listed(request.headers, "If-Match"), listed(request.headers, "If-None-Match")
    changes = request.method not in SAFE_METHODS
    holds = (
        (if_match is None or (is_there and names(if_match, "")))
        and not (changes and is_there and has_tag(if_none_match, ""))
        and not (changes and "If-Unmodified-Since" in request.headers)
    )
    if not (holds or request.method == "OPTIONS"):
        raise StaleCondition("What this request is about has no ETag and no date: send it without a condition.")


async def _parse(operation: Operation, request: Request) -> Mapping[str, object]:
    """The handler's arguments. Raises `InvalidInput` with every fault of path, query and body."""
    inputs = operation.inputs
    faults: list[Fault] = []
    arguments: dict[str, object] = {
        name: parse_text(kind, request.path_params[name], ("path", name), faults) for name, kind in inputs.path.items()
    }
    if faults and operation.names_any_id:
        raise NotFound.of("thing")
    if inputs.query is not None:
        arguments["query"] = parse_pairs(inputs.query, split_query(request.scope["query_string"]), ("query",), faults)
    if inputs.body is not None:
        arguments["body"] = await read_json(inputs.body, request, operation.json_limit, faults)
    raise_faults(faults)
    return arguments


def encoded(document: object, status: int, headers: Mapping[str, str]) -> Response:
    if document is None:
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
    headers = {"Cache-Control": "private, no-cache", **headers}
    return Response(msgspec.json.encode(document), status, headers, media_type="application/json")


def _without_body(send: Send) -> Send:
    async def send_headers_only(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_headers_only
