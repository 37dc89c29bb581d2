"""The document of the page, which is the same for all views but for what is in it before its programs have run."""

from collections.abc import Mapping
from functools import cache, lru_cache
from html import escape
from importlib.resources import files
from typing import Final

from imagegallery_asgi.page.assets import MAIN, STYLES, page_assets
from imagegallery_asgi.page.languages import direction_of
from imagegallery_asgi.page.views import view_of

TITLE: Final = "imagegallery"
# No program, no style and no frame of anybody else's, and text becomes markup in one place alone (Trusted Types).
# Pictures may be at a store's or an edge's address.
POLICY: Final[Mapping[str, str]] = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' https: blob: data:",
    "connect-src": "'self'",
    "frame-src": "'self'",
    "worker-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "imagegallery",
}
SCRIPTLESS_POLICY: Final[Mapping[str, str]] = {
    "default-src": "'none'",
    "img-src": "'self'",
    "style-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
}
NOTHING_TOLD: Final[Mapping[str, str]] = {}
NEEDS_SCRIPT: Final = "<noscript><p>This page needs JavaScript.</p></noscript>"


def page_document(
    root: str,
    language: str,
    told: Mapping[str, str] = NOTHING_TOLD,
    *,
    title: str = TITLE,
    head: str = "",
    body: str = NEEDS_SCRIPT,
    has_programs: bool = True,
    path: str = "",
) -> str:
    """The document.

    Args:
        root: The path of the mount.
        language: One of `LANGUAGES`.
        told: What else the programs and styles know: texts by the names of ``data-`` attributes.
        title: Text.
        head: Elements of the head, which are HTML.
        body: What is to be seen until the programs have drawn the view, as HTML: all there is without JavaScript.
        has_programs: Whether any are to run.
        path: Of the view, below the mount; the document names its programs, too.
    """
    values = {
        "language": language,
        "direction": direction_of(language),
        "root": escape(root),
        "told": "".join(f' data-{name}="{escape(value)}"' for name, value in told.items()),
        "title": escape(title),
        "head": head,
        "loads": _loads(root, language, view_of(path), has_programs=has_programs),
        "body": body,
    }
    parts = _template().split("{")
    return parts[0] + "".join(values[name] + rest for name, _, rest in (part.partition("}") for part in parts[1:]))


def asset_url(root: str, name: str) -> str:
    """The address of a file of the page."""
    return f"{root}/page/{page_assets().digest}/{name}"


# Hosts may mount at paths with parameters, of which strangers send any.
@lru_cache(maxsize=256)
def _loads(root: str, language: str, view: str | None, *, has_programs: bool) -> str:
    """What the first view loads, named at once: its programs would find each other, and then their styles and texts,
    one after the other."""
    assets = page_assets()

    def url(name: str) -> str:
        return escape(asset_url(root, name))

    icon = f'<link rel="icon" type="image/svg+xml" href="{url("icons/icon.svg")}">\n'
    if not has_programs:
        return icon + "".join(_style(url(name)) for name in STYLES)
    names = dict.fromkeys((*assets.modules(), *(assets.modules(view) if view else ())))
    modules = [assets.by_name[name] for name in names]
    styles = dict.fromkeys((*STYLES, *(name for each in modules for name in each.styles)))
    features = dict.fromkeys(feature for each in modules for feature in each.texts)
    texts = (f"messages/{language}/{feature}.json" for feature in features)
    return "".join(
        [
            f'<link rel="manifest" href="{escape(root)}/manifest.webmanifest">\n',
            f'<link rel="apple-touch-icon" href="{url("icons/icon-180.png")}">\n',
            icon,
            *(_style(url(name)) for name in styles),
            *(f'<link rel="modulepreload" href="{url(name)}">\n' for name in names),
            *(f'<link rel="preload" as="fetch" crossorigin href="{url(name)}">\n' for name in texts),
            f'<script type="module" src="{url(MAIN)}"></script>',
        ]
    )


def _style(url: str) -> str:
    return f'<link rel="stylesheet" href="{url}">\n'


@cache
def _template() -> str:
    return files("imagegallery_asgi.page").joinpath("page.html").read_text()
