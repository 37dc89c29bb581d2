"""The page as an answer: the document, and what it may load."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Final

import anyio.to_thread
from starlette.responses import Response

from imagegallery import Image
from imagegallery.access.hotlinks import origin_of
from imagegallery.images.presentation.responsive import absolute
from imagegallery_asgi.api.sites import Site
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.page.document import NEEDS_SCRIPT, POLICY, SCRIPTLESS_POLICY, TITLE, page_document
from imagegallery_asgi.page.languages import COOKIE, language_of
from imagegallery_asgi.page.texts import texts_of
from imagegallery_asgi.page.themes import THEME_COOKIE, told_theme

NO_FRAMES: Final = "'none'"
# Servers of pictures see the origin of this page, which a rule may ask for, and never its path.
_REFERRER: Final = "strict-origin"


def language_for(call: Call) -> str:
    """The language that who asks wants to read."""
    return language_of(call.request.cookies.get(COOKIE), call.request.headers.get("Accept-Language"))


async def texts_for(call: Call) -> Mapping[str, str]:
    """The texts of the pages that the service writes itself, in that language."""
    return await anyio.to_thread.run_sync(texts_of, "link", language_for(call))


async def page_answer(
    call: Call,
    *,
    title: str = TITLE,
    head: str = "",
    body: str = NEEDS_SCRIPT,
    images: Iterable[Image] = (),
    status: int = HTTPStatus.OK,
    frames: str = NO_FRAMES,
    has_programs: bool = True,
) -> Response:
    """The document, with this in it before its programs have run.

    Args:
        images: Those that it shows: pictures may come from where their files are.
        frames: The sources of ``frame-ancestors``.
        has_programs: Whether the page's programs go on from there, in an application that has the page.
    """
    runs = has_programs and call.host.has_page
    language, root = language_for(call), call.root
    path = call.request.url.path.removeprefix(root)
    told = {**call.host.sign_in.told, **told_theme(call.request.cookies.get(THEME_COOKIE))}
    document = await anyio.to_thread.run_sync(
        lambda: page_document(root, language, told, title=title, head=head, body=body, has_programs=runs, path=path)
    )
    policy = dict(POLICY if runs else SCRIPTLESS_POLICY)
    policy["img-src"] = " ".join([policy["img-src"], *_origins(images, Site.of(call).api)])
    policy["frame-ancestors"] = frames
    headers = {
        "Content-Security-Policy": "; ".join(f"{name} {sources}" for name, sources in policy.items()),
        "Content-Language": language,
        "Referrer-Policy": _REFERRER,
        "Cache-Control": "private, no-cache",
        "Vary": "Accept-Language, Cookie",
    }
    return Response(document, status, media_type="text/html", headers=headers)


def _origins(images: Iterable[Image], api: str) -> list[str]:
    addresses = (absolute(each.url, api) for image in images for each in image.variants)
    return sorted({origin for each in addresses if (origin := origin_of(each)) is not None})
