"""Which names of the package stand on which page of the reference: a hook of mkdocs.

A page asks for its group with a line ``<!-- names: errors -->``. Public is what ``imagegallery`` exports, every error,
and what our own HTTP package imports: each of these names is in one group.
"""

import ast
import importlib
import importlib.util
import inspect
import pkgutil
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import attrs

import imagegallery
import imagegallery_asgi

PROTOCOL_MODULES = ("imagegallery.storage.protocol", "imagegallery.queue.protocol", "imagegallery.cache.protocol")
# What services return beside it, or applications subclass.
FURTHER = (
    "imagegallery.galleries.pages.CachedPages",
    "imagegallery.access.authority.AccessSubject",
    "imagegallery.access.permission.ROLES",
    "imagegallery.images.duplicates.duplicate.Lookalike",
    "imagegallery.webhooks.service.CreatedWebhook",
    "imagegallery.database.host.choice.HostConnection",
)
# What a feature is made of.
FEATURES = (
    *(f"imagegallery.feature.{name}" for name in ("Feature", "Resources", "ByClass")),
    *(f"imagegallery.events.event.{name}" for name in ("GalleryEvent", "OwnerEvent", "UserEvent")),
    *(f"imagegallery.queue.job.{name}" for name in ("NewJob", "ClaimedJob")),
    "imagegallery.queue.periodic.Periodic",
    "imagegallery.events.relay.Consumer",
    *(f"imagegallery.reconciliation.finding.{name}" for name in ("Phase", "PhaseStep", "Finding", "Kind")),
    "imagegallery.reconciliation.finding.RepairOutcome",
    "imagegallery.reconciliation.strays.Strays",
    *(f"imagegallery.reconciliation.sums.{name}" for name in ("Sums", "Sum")),
)
_PUBLIC_MODULE = re.compile(r"imagegallery\.(?!common\.(?:bounded|extras|logs)$)[a-z_.]+")
_MARKER = re.compile(r"^<!-- names: (\w+) -->$", re.MULTILINE)
_SERVICES = re.compile(r"imagegallery\.(?!testing)\w+\.(?:\w+\.)?service")


def on_page_markdown(markdown: str, **_: object) -> str:
    """Called by mkdocs for every page."""
    return _MARKER.sub(lambda match: "\n\n".join(f"::: {name}" for name in names(match[1])), markdown)


def names(group: str) -> list[str]:
    """The dotted names of ``services``, ``settings``, ``values``, ``errors``, ``protocols``, ``features``, ``suites``
    or ``http``.

    Raises `KeyError` for another group.
    """
    return groups()[group]


def groups() -> dict[str, list[str]]:
    public = {f"imagegallery.{name}": getattr(imagegallery, name) for name in imagegallery.__all__}
    known = set(map(id, public.values()))
    public |= {path: value for path, value in sorted(_of_modules().items()) if id(value) not in known}
    settings = _settings_classes()
    found: dict[str, list[str]] = {"services": [], "settings": [], "values": [], "errors": [], "protocols": []}
    for path, value in public.items():
        found[_group(value, settings)].append(path)
    named = set(map(id, public.values()))
    found["services"] += _paths(each for each in _classes_named("Service", "imagegallery") if id(each) not in named)
    found["settings"] += _paths(each for each in settings if id(each) not in named)
    found["protocols"] += _paths(each for each in _protocols() if id(each) not in named)
    elsewhere = set(map(id, public.values()))
    found["features"] = [path for path in FEATURES if id(_named(path)) not in elsewhere]
    found["suites"] = _paths(_classes_named("Suite", "imagegallery.testing"))
    found["http"] = [f"imagegallery_asgi.{name}" for name in imagegallery_asgi.__all__]
    return found


def _of_modules() -> dict[str, object]:
    """What is public but not exported by ``imagegallery``, by its path."""
    paths = [f"imagegallery.errors.{each.__name__}" for each in _own_classes("imagegallery.errors")]
    for file in sorted(Path(imagegallery_asgi.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and _PUBLIC_MODULE.fullmatch(str(node.module)):
                paths += (f"{node.module}.{each.name}" for each in node.names)
    for module in PROTOCOL_MODULES:
        paths += (f"{module}.{each.__name__}" for each in _own_classes(module) if not _is_protocol(each))
    return {path: _named(path) for path in (*paths, *FURTHER)}


def _named(path: str) -> object:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def _is_protocol(value: object) -> bool:
    return bool(getattr(value, "_is_protocol", False))


def _group(value: object, settings: list[type]) -> str:
    if not inspect.isclass(value):
        return "values"
    if issubclass(value, Exception):
        return "errors"
    if value in settings:
        return "settings"
    if _is_protocol(value):
        return "protocols"
    return "services" if value in (imagegallery.ImageGallery, imagegallery.OpenGallery) else "values"


def _settings_classes() -> list[type]:
    """`Settings` and the options that it is composed of."""
    defaults = imagegallery.Settings()
    values = [getattr(defaults, field.name) for field in attrs.fields(imagegallery.Settings)]
    return [imagegallery.Settings, *(type(value) for value in values if attrs.has(type(value)))]


def _protocols() -> Iterator[type]:
    """What a backend of somebody else's has to be, or may be."""
    for module in PROTOCOL_MODULES:
        yield from (each for each in _own_classes(module) if _is_protocol(each))


def _classes_named(ending: str, package: str) -> Iterator[type]:
    """The own classes of a package with such a name; of services, those in a package's files for them."""
    parent = importlib.import_module(package)
    for module in pkgutil.walk_packages(parent.__path__, f"{package}."):
        if ending == "Service" and not _SERVICES.fullmatch(module.name):
            continue
        if not _has_class_named(ending, module.name):
            continue
        yield from (each for each in _own_classes(module.name) if each.__name__.endswith(ending))


def _has_class_named(ending: str, module: str) -> bool:
    """By the text: to import all modules takes seconds."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    return re.search(rf"^class \w*{ending}\b", Path(str(spec.origin)).read_text(), re.MULTILINE) is not None


def _own_classes(module: str) -> Iterator[type]:
    for each in vars(importlib.import_module(module)).values():
        if inspect.isclass(each) and each.__module__ == module and not each.__name__.startswith("_"):
            yield each


def _paths(classes: Iterable[type]) -> list[str]:
    return [f"{each.__module__}.{each.__qualname__}" for each in classes]
