"""Which analyses an image lacks. Pure."""

from collections.abc import Iterable, Mapping

from imagegallery.analyses.analysis import Analysis


def missing(analyses: Iterable[Analysis], recorded: Mapping[str, int]) -> tuple[Analysis, ...]:
    """Those that are not ``recorded``, by name, at the version that they have today."""
    return tuple(each for each in analyses if recorded.get(each.name) != each.version)
