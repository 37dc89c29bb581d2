"""Everything that reads a stranger's text over HTTP takes time in proportion to it, whatever stands in it."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest
from starlette.datastructures import QueryParams
from starlette.requests import Request
from tests.support.growth import check_linear

from imagegallery.common.disposition import attachment
from imagegallery.http_options import parse_networks
from imagegallery_asgi import auth, create_app
from imagegallery_asgi.api.forms import _Parser
from imagegallery_asgi.api.requests import CreateWebhook, GalleryImagesQuery, LibraryQuery
from imagegallery_asgi.framework import headers
from imagegallery_asgi.framework.parsing import parse_pairs, parse_text
from imagegallery_asgi.middleware import forwarding
from imagegallery_asgi.middleware.exchange import MAX_HEAD_BYTES
from imagegallery_asgi.resumable import ietf_wire, structured, tus_wire
from imagegallery_asgi.resumable.common import fields

Reader = Callable[[str], object]

NOW = datetime(2026, 11, 30, tzinfo=UTC)
_AUTHENTICATE = auth.jwt("k" * 32)


def asking(*lines: tuple[str, str]) -> Request:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in lines]
    return Request({"type": "http", "method": "GET", "path": "/", "client": ("127.0.0.1", 1), "headers": raw})


def forwarded(name: str) -> Reader:
    networks = parse_networks(["127.0.0.0/8", "::/0"])

    def read(text: str) -> object:
        scope = {**asking((f"x-forwarded-{name}", text)).scope, "root_path": ""}
        return forwarding.restored(scope, networks)

    return read


def query(text: str) -> None:
    faults: list[object] = []
    for kind in (LibraryQuery, GalleryImagesQuery):
        parse_pairs(kind, QueryParams(text.encode("latin-1")).multi_items(), ("query",), faults)  # type: ignore[arg-type]


def value(name: str) -> Reader:
    return lambda text: parse_pairs(LibraryQuery, [(name, text)], ("query",), [])


def part_of_a_form(text: str) -> None:
    _Parser("sea").feed(b"--sea\r\n" + text.encode("latin-1"))


def form_head(text: str) -> None:
    _Parser("sea").feed(f"--sea\r\nContent-Disposition: {text}\r\n\r\n".encode("latin-1"))


def payload(text: str) -> None:
    encoded = base64.urlsafe_b64encode(text.encode("latin-1")).decode().rstrip("=")
    _AUTHENTICATE(asking(("authorization", f"Bearer {encoded}.{encoded}.{encoded}")))


READERS: list[tuple[Reader, list[str]]] = [
    (headers.parameters, ["x", "x; a=", 'x; a="', "x; a=b", 'x; a="\\']),
    (headers.disposition_filename, ["x; filename*=UTF-8''", "x; filename*=", 'x; filename="']),
    (headers.media_type, ["image/", ""]),
    (lambda text: headers.has_tag(text, '"a"'), ["", '"', 'W/"', '"x",', "*", "x"]),
    (lambda text: headers.range_applies(text, etag='"a"', modified_at=NOW), ["", '"', "Sat, "]),
    (headers.parse_http_date, ["", "Sat, 21 Nov 2026 12:30:15 ", "Sat, "]),
    (lambda text: headers.parse_range(text, 100), ["bytes", "bytes=", "bytes=0-", "bytes=0-1,"]),
    (headers.parse_key, ["", '"', '"\\']),
    (headers.accepted_formats, ["", "image/", "image/a;q=", "image/a;"]),
    (attachment, [""]),
    (headers.request_id, [""]),
    (structured.parse_integer, ["", "1;", "1;a=", '1;a="', "1;a=:", "-"]),
    (structured.parse_boolean, ["", "?1;"]),
    (structured.parse_dictionary, ["", "a=", 'a="', "a=:", "a=1,", "a;b=", "a=1.", "a,"]),
    (lambda text: ietf_wire.parse_append({"Content-Digest": text, "Repr-Digest": text}), ["sha-256=:", ""]),
    (tus_wire.parse_metadata, ["", "filename ", "a YQ==,", "name "]),
    (tus_wire.parse_checksum, ["", "sha1 "]),
    (
        lambda text: tus_wire.parse_creation({"Upload-Concat": text}),
        ["", "final;", "final;/uploads/resumable/", "final;/uploads/0/resumable", "final;//["],
    ),
    (lambda text: tus_wire.parse_creation({"Upload-Length": text}), ["", "1"]),
    *((forwarded(name), ["", "127.0.0.1,", "::1,", "[", "/a", "a."]) for name in ("for", "host", "proto", "prefix")),
    (lambda text: _AUTHENTICATE(asking(("authorization", text))), ["", "Bearer ", "Bearer a.b.", "Bearer e30.e30."]),
    (payload, ["", "[", '{"alg":', '{"alg":"HS256","x":']),
    (lambda text: auth.single_user()(asking(("host", text), ("origin", text))), ["", "localhost:", "[", "http://"]),
    (query, ["", "cursor=", "a=b&", "&", "taken_from="]),
    *((value(name), [""]) for name in ("cursor", "limit", "mime_type", "taken_from", "status", "trashed")),
    (value("mime_type"), ["image/", "a"]),
    (value("taken_from"), ["2024-06-01T12:00:00", "2024-06-01T12:00:00."]),
    (lambda text: parse_text(CreateWebhook, {"url": text}, (), []), ["", "https://"]),
    (part_of_a_form, ["", "Content-Disposition: ", "a", "\r\n", "a: b\r\n\r\n\r\n--se", "a: b\r\n\r\n"]),
    (form_head, ["form-data; name=", 'form-data; name="']),
]


@pytest.mark.parametrize(("read", "prefix"), [(read, prefix) for read, prefixes in READERS for prefix in prefixes])
def test_no_text_costs_more_than_its_length(read: Reader, prefix: str) -> None:
    check_linear(read, prefix)


def test_as_many_lines_as_there_may_be_are_joined_in_one_pass() -> None:
    check_linear(lambda text: fields(asking(*((char, char) for char in text))), "", "a")
    check_linear(lambda text: fields(asking(*((f"a{at}", char) for at, char in enumerate(text)))), "", "a")


async def test_a_head_of_more_than_32_kilobytes_is_refused() -> None:
    transport = httpx.ASGITransport(app=create_app(authenticate=lambda _: None))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for asked in (
            client.get("/api/v1/nowhere", headers={"X-Long": "x" * MAX_HEAD_BYTES}),
            client.get("/api/v1/nowhere", params={"q": "x" * MAX_HEAD_BYTES}),
            client.get("/" + "x" * MAX_HEAD_BYTES),
        ):
            answer = await asked
            assert (answer.status_code, answer.json()["code"]) == (431, "head_too_large")
        assert (await client.get("/api/v1/nowhere", headers={"X-Long": "x" * 30_000})).status_code == 404
