"""What a browser gets that opens the service: at the root, not below the API's prefix."""

from imagegallery import Permission
from imagegallery_asgi.framework.operations import Content, DeclaredAnswer, Operation
from imagegallery_asgi.website import pages

_HTML = {200: DeclaredAnswer("A page.", (Content("text/html"),))}

OPERATIONS = (
    Operation(
        "GET",
        "/",
        pages.index,
        "What this is",
        answers=_HTML,
        needs_principal=False,
        permission=Permission.NONE,
    ),
    Operation(
        "GET",
        "/docs",
        pages.docs,
        "The API to read and to try",
        answers=_HTML,
        needs_principal=False,
        permission=Permission.NONE,
    ),
    Operation(
        "GET",
        "/docs/{name}",
        pages.asset,
        "A script or a style of these pages",
        answers={200: DeclaredAnswer("The file.", (Content("text/css"), Content("text/javascript")))},
        needs_principal=False,
        permission=Permission.NONE,
    ),
)
