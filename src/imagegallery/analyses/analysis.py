"""What an analysis is. Pure.

An analysis computes something about an image, under a name and a version. What it needs says where it runs: beside the
first variants, in the decoder or from what the file says of itself, or, on a picture that a model is to see, in jobs of
its own. All there are is in `imagegallery.analyses.catalogue`.
"""

from collections.abc import Awaitable, Callable
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
    """The need for what the file says of itself: EXIF and notes."""


class AnalysisState(StrEnum):
    """``failed``: this version can make nothing of this picture, and is not tried again."""

    DONE = "done"
    FAILED = "failed"


def is_anything(_data: object) -> bool:
    return True


@frozen
class Analysis:
    """Something to compute about images.

    ``version`` is raised when the same picture comes to give another result; then it is computed anew. ``needs``
    decides what ``run`` finds in its subject, and where it runs: ``Pixels``, in the decoder, from a function of a
    module that imports little; ``FileNotes``, beside it; a ``Rendition``, in a job of its own, for what takes long.
    ``run`` answers a JSON value, which is recorded if ``accepts`` has nothing against it. ``write`` puts it in the same
    transaction where lists and searches read it, if they do.
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
        """What the decoder is asked for: one thing, if anything."""
        return (Measurement(self.name, self.needs, self.run, self.accepts),) if isinstance(self.needs, Pixels) else ()


@frozen
class AnalysisResult:
    """What an analysis found; of one that failed, why."""

    analysis: Analysis
    data: object
    state: AnalysisState = AnalysisState.DONE


@frozen
class AnalysisOptions:
    """``max_at_once``: how many jobs of one worker run analyses that take long, beside all its other jobs."""

    max_at_once: int = 1
