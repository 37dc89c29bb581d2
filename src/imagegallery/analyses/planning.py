"""Which analyses an image lacks. Pure."""

from collections.abc import Iterable, Mapping

from imagegallery.analyses.analysis import Analysis


def missing(analyses: Iterable[Analysis], recorded: Mapping[str, int]) -> tuple[Analysis, ...]:
    """The analyses that are not ``recorded``, by name, at their current version."""
    return tuple(each for each in analyses if recorded.get(each.name) != each.version)
