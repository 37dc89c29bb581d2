"""The few pages for people who open the service in a browser: what this is, and the API to read and try.

Swagger UI comes with the extra ``serve``; nothing is fetched from elsewhere.
"""

from collections.abc import Callable
from functools import cache
from html import escape
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import anyio.to_thread
from starlette.responses import Response

from imagegallery import NotFound, Permission
from imagegallery.common.extras import install_hint
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.operations import Content, DeclaredAnswer, Operation, declaring

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)
HOME: list[Operation] = []
home = declaring(HOME)

HTML = {200: DeclaredAnswer("A page.", (Content("text/html"),))}


_SWAGGER = "swagger_ui"
# Swagger UI's scripts set styles; pictures in them are data URLs.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_TYPES = {"css": "text/css", "js": "text/javascript"}


@home("GET", "/", "What this is", answers=HTML, needs_principal=False, permission=Permission.NONE)
async def index(call: Call) -> Response:
    """What this is, and where to go on."""
    root, url = call.root, call.request.url
    return _answer(await anyio.to_thread.run_sync(index_page, root, f"{url.scheme}://{url.netloc}{root}"))


@operation(
    "GET", "/docs", "The API to read and to try", answers=HTML, needs_principal=False, permission=Permission.NONE
)
async def docs(call: Call) -> Response:
    """The API, by Swagger UI."""
    return _answer(await anyio.to_thread.run_sync(docs_page, call.root))


@operation(
    "GET",
    "/docs/{name}",
    "A script or a style of these pages",
    answers={200: DeclaredAnswer("The file.", (Content("text/css"), Content("text/javascript")))},
    needs_principal=False,
    permission=Permission.NONE,
)
async def asset(call: Call, name: str) -> Response:
    """A script or a style of these pages. Raises `NotFound`."""
    read = _assets().get(name)
    if read is None:
        raise NotFound.of("file")
    body = await anyio.to_thread.run_sync(read)
    headers = {"Cache-Control": "public, max-age=3600"}
    return Response(body, media_type=_TYPES[name.rpartition(".")[2]], headers=headers)


def index_page(root: str, address: str) -> str:
    """``root`` is the path of the mount, ``address`` the same with scheme and host."""
    return _fill("index.html", root=root, address=f"{address}/api/v1", version=version("imagegallery"))


def docs_page(root: str) -> str:
    if _swagger_folder() is None:
        return _fill("no-docs.html", root=root, hint=install_hint("serve"))
    return _fill("docs.html", root=root)


def _fill(name: str, **values: str) -> str:
    text = text_of(name)
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", escape(value))
    return text


def text_of(name: str) -> str:
    """A template of ours."""
    return _own(name)().decode()


def _answer(page: str) -> Response:
    return Response(page, media_type="text/html", headers={"Content-Security-Policy": _POLICY})


@cache
def _assets() -> dict[str, Callable[[], bytes]]:
    """The names of assets, and how each is read."""
    found = {name: _own(name) for name in ("website.css", "docs.js")}
    folder = _swagger_folder()
    if folder is not None:
        found |= {name: (folder / name).read_bytes for name in ("swagger-ui.css", "swagger-ui-bundle.js")}
    return found


def _own(name: str) -> Callable[[], bytes]:
    return files("imagegallery_asgi.website").joinpath(name).read_bytes


@cache
def _swagger_folder() -> Path | None:
    """Where Swagger UI's files are. Its package is not imported: it would load a template engine."""
    spec = find_spec(_SWAGGER)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "static"
