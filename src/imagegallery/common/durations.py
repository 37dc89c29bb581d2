"""Durations as callers give them."""

from datetime import timedelta
from typing import TypeAlias

Duration: TypeAlias = timedelta | float
"""Seconds, if it is a number."""


def as_timedelta(given: Duration) -> timedelta:
    """Convert it. Raises `TypeError` for anything else."""
    return given if isinstance(given, timedelta) else timedelta(seconds=given)
