"""For tests: suites that prove backends (`imagegallery.testing.storage` and others), and for those of applications the
fixtures of `imagegallery.testing.plugin`, objects in memory, and images and galleries without a database."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imagegallery.testing.memory_store import MemoryStore as MemoryStore
    from imagegallery.testing.values import make_gallery as make_gallery
    from imagegallery.testing.values import make_image as make_image

__all__ = ["MemoryStore", "make_gallery", "make_image"]

_HOMES = {"MemoryStore": "memory_store", "make_gallery": "values", "make_image": "values"}


def __getattr__(name: str) -> object:
    """Import a name when it is used: pytest imports this package at its start. Raises `AttributeError`."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
