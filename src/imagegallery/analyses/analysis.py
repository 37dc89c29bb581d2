"""What an analysis is, and which ones an image lacks. Pure.

An analysis computes something about an image, under a name and a version. Its needs decide where it runs: with the
first variants, in the decoder or from the file's notes, or, for a picture that a model needs, in jobs of its own.
`imagegallery.analyses.catalogue` lists all.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from attrs import frozen

from imagegallery.imaging.protocol import Measurement, Pixels, Rendition, Subject

if TYPE_CHECKING:
    from imagegallery.database.connection import Connection
    from imagegallery.images.image.image import Image

Write: TypeAlias = "Callable[[Connection, Image, object, datetime], Awaitable[None]] | None"


@frozen
class FileNotes:
    """The need for what the file says about itself: EXIF and notes."""


class AnalysisState(StrEnum):
    """``failed``: this version cannot analyse this picture, and does not try again."""

    DONE = "done"
    FAILED = "failed"


def is_anything(_data: object) -> bool:
    return True


@frozen
class Analysis:
    """Something to compute about images.

    ``version`` is incremented when the same picture gives another result: then it is computed again. ``needs`` decides
    what ``run`` gets and where it runs: ``Pixels``, in the decoder, by a function of a module with few imports;
    ``FileNotes``, beside it; a ``Rendition``, in a job of its own, for costly ones. ``run`` returns a JSON value, which
    is recorded if ``accepts`` allows it. ``write`` puts it where lists and searches read it, in the same transaction.
    """

    name: str
    version: int
    needs: Pixels | FileNotes | Rendition
    run: Callable[[Subject], object]
    accepts: Callable[[object], bool] = is_anything
    write: Write = None

    @property
    def is_costly(self) -> bool:
        """Whether it runs in jobs of its own."""
        return isinstance(self.needs, Rendition)

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """What the decoder must measure: at most one thing."""
        return (Measurement(self.name, self.needs, self.run, self.accepts),) if isinstance(self.needs, Pixels) else ()


def missing_analyses(analyses: Iterable[Analysis], recorded: Mapping[str, int]) -> tuple[Analysis, ...]:
    """The analyses that are not ``recorded``, by name, at their current version."""
    return tuple(each for each in analyses if recorded.get(each.name) != each.version)


@frozen
class AnalysisResult:
    """The result of an analysis, or why it failed."""

    analysis: Analysis
    data: object
    state: AnalysisState = AnalysisState.DONE


@frozen
class AnalysisOptions:
    """``max_at_once``: the jobs of one worker that run costly analyses, besides all its other jobs."""

    max_at_once: int = 1
