"""Named places where a process may die, between two steps.

Each package names its own next to the step: ``PROMOTED = fault_point("upload.promoted", "the object has its final key,
no row says so")``, and calls ``PROMOTED.reached()`` there. That does nothing until a test arms it. The tests find all
points, so a new one needs no entry in a list. Pure until armed.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from attrs import frozen

_points: dict[str, "FaultPoint"] = {}
_hooks: list[Callable[["FaultPoint"], None]] = []

FAULT_POINTS: Mapping[str, "FaultPoint"] = MappingProxyType(_points)


@frozen
class FaultPoint:
    """``name`` is ``package.step``; ``state`` says what has happened by then and what has not."""

    name: str
    state: str

    def reached(self) -> None:
        """Call what a test armed, which may not return."""
        for hook in _hooks:
            hook(self)


def fault_point(name: str, state: str) -> FaultPoint:
    """Register a point. Raises `ValueError` for a name that is taken."""
    if name in _points:
        raise ValueError(f"there is a fault point {name} already")
    point = _points[name] = FaultPoint(name, state)
    return point


def arm(hook: Callable[[FaultPoint], None]) -> None:
    """Call ``hook`` at every point reached from now on in this process."""
    _hooks.append(hook)
