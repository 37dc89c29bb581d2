"""Draw what each feature brings, and whose services it uses: ``python docs/features_diagram.py [--check]``."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import MagicMock

import attrs

import made_page
from diagrams import DIAGRAM
from imagegallery.backends import options_of
from imagegallery.feature import ByClass, Feature, Resources
from imagegallery.gallery import EVENT_TYPES, FEATURES
from imagegallery.settings import Settings

T = TypeVar("T")
PAGE = Path(__file__).parent / "explanation" / "architecture.md"


class Noted(ByClass):
    """Notes who is looked for."""

    def __init__(self) -> None:
        super().__init__()
        self.wanted: set[type] = set()

    def __getitem__(self, kind: type[T]) -> T:
        self.wanted.add(kind)
        return super().__getitem__(kind)


def features() -> str:
    """Each feature with what it brings, and an arrow to each whose services it uses."""
    settings, services = Settings(), Noted()
    arguments: dict[str, Any] = {
        **{name: MagicMock() for name in attrs.fields_dict(Resources)},
        "features": FEATURES,
        "event_types": EVENT_TYPES,
        "options": options_of(settings, FEATURES),
        "upkeep_interval": settings.upkeep_interval,
        "services": services,
    }
    resources = Resources(**arguments)
    brought: dict[str, list[str]] = {}
    used: dict[str, set[type]] = {}
    home: dict[type, str] = {}
    for feature in FEATURES:
        services.wanted = used[feature.name] = set()
        for service in feature.services(resources):
            services.add(service)
            home[type(service)] = feature.name
            brought.setdefault(feature.name, []).append(f"service {type(service).__name__}")
    lines = ["classDiagram", "    direction LR"]
    for feature in FEATURES:
        services.wanted = used[feature.name]
        shown = [*brought.get(feature.name, ()), *_brings(feature, resources)]
        lines += [f"    class {feature.name} {{", *(f"        {each}" for each in shown), "    }"]
        others = sorted({home[kind] for kind in used[feature.name]} - {feature.name})
        lines += [f"    {feature.name} ..> {other}" for other in others]
    return "\n".join([*lines, ""])


def _brings(feature: Feature, resources: Resources) -> Iterator[str]:
    if feature.options is not None:
        yield f"options {feature.options.__name__}"
    yield from (f"event {each.type}" for each in feature.events)
    yield from (f"job {kind}" for kind in feature.jobs(resources))
    yield from (f"periodic {each.name}" for each in feature.periodic(resources))
    yield from (f"consumer {each.name}" for each in feature.consumers(resources))
    yield from (f"check {each.name}" for each in feature.checks(resources, timedelta(0)))


def page() -> str:
    """The page as it ought to be."""
    return DIAGRAM.sub(lambda _: features(), PAGE.read_text())


if __name__ == "__main__":
    made_page.main(PAGE, page())
