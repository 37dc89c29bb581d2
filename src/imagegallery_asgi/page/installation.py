"""What makes the page an application of a device: its manifest, and its service worker."""

import json
from typing import Final

from starlette.responses import RedirectResponse, Response

from imagegallery import Permission
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.operations import Content, DeclaredAnswer, Operation, declaring
from imagegallery_asgi.page.assets import page_assets
from imagegallery_asgi.page.document import TITLE, asset_url
from imagegallery_asgi.page.languages import COOKIE, direction_of, language_of

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)

MANIFEST: Final = "application/manifest+json"
PAPER: Final = "#faf8f5"
RECEIVED: Final = "/received-files"
_WORKER: Final = "offline/worker.js"
# Systems cut the PNG files to their own shapes; what is drawn keeps to the middle.
_ICONS: Final = (
    {"name": "icons/icon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any"},
    {"name": "icons/icon-192.png", "sizes": "192x192", "type": "image/png", "purpose": "any maskable"},
    {"name": "icons/icon-512.png", "sizes": "512x512", "type": "image/png", "purpose": "any maskable"},
)


@operation(
    "GET",
    "/manifest.webmanifest",
    "The page as an application",
    answers={200: DeclaredAnswer("The manifest.", (Content(MANIFEST),))},
    needs_principal=False,
    permission=Permission.NONE,
)
async def get_manifest(call: Call) -> Response:
    """How a device shows the page as an application of its own (W3C, Web Application Manifest)."""
    language = language_of(call.request.cookies.get(COOKIE), call.request.headers.get("Accept-Language"))
    root = f"{call.root}/"
    manifest = {
        "id": root,
        "name": TITLE,
        "short_name": TITLE,
        "lang": language,
        "dir": direction_of(language),
        "start_url": root,
        "scope": root,
        "display": "standalone",
        "background_color": PAPER,
        "theme_color": PAPER,
        "icons": [
            {"src": asset_url(call.root, icon["name"]), **{key: icon[key] for key in ("sizes", "type", "purpose")}}
            for icon in _ICONS
        ],
        "share_target": {
            "action": call.root + RECEIVED,
            "method": "POST",
            "enctype": "multipart/form-data",
            "params": {"files": [{"name": "files", "accept": ["image/*"]}]},
        },
    }
    headers = {"Cache-Control": "private, no-cache", "Vary": "Accept-Language, Cookie"}
    return Response(json.dumps(manifest), media_type=MANIFEST, headers=headers)


@operation(
    "GET",
    "/sw.js",
    "The service worker of the page",
    answers={200: DeclaredAnswer("The program.", (Content("text/javascript"),))},
    needs_principal=False,
    permission=Permission.NONE,
)
async def get_service_worker(call: Call) -> Response:
    """A program of two lines: the worker of this release, and all files that it keeps.

    It lies at the root, as a worker is for what is below its own address.
    """
    assets = page_assets()
    program = (
        f"import {{ serve }} from {json.dumps(asset_url(call.root, _WORKER))};\n"
        f"serve({json.dumps(assets.digest)}, {json.dumps(list(assets.by_name))});\n"
    )
    headers = {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'",
    }
    return Response(program, media_type="text/javascript", headers=headers)


@operation(
    "POST",
    RECEIVED,
    "Files from another application of the device",
    answers={303: DeclaredAnswer("To the page.", headers=("Location",))},
    is_safe=True,
    needs_principal=False,
    permission=Permission.NONE,
)
async def receive_files(call: Call) -> Response:
    """What the service worker takes before it comes here. Where there is none, the page opens, and nothing was read."""
    return RedirectResponse(f"{call.root}/", 303)
