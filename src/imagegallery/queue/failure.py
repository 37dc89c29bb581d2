"""What is stored of an exception. Pure.

A foreign exception's text may quote signed URLs, credentials, paths or users' data, and operators see what is stored.
So foreign exceptions are described by class and place; only our own errors, whose messages are meant to be shown, are
quoted.
"""

from pathlib import PurePath
from traceback import extract_tb

from imagegallery.errors import ConfigurationError, ImageGalleryError, Unavailable, only_cause

LONGEST = 300  # characters
_FRAMES = 3


def is_outage(error: BaseException) -> bool:
    """Whether the error only means that a service was unavailable, or denied access."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(is_outage, error.exceptions))
    return isinstance(error, Unavailable | ConfigurationError)


def describe(error: BaseException) -> str:
    """One line, at most `LONGEST` characters: ``code: message`` or ``Class at file.py:line < caller.py:line``."""
    cause = only_cause(error)
    if isinstance(cause, ImageGalleryError):
        text = f"{cause.code}: {cause.message}"
    else:
        text = f"{type(cause).__name__}{_place(cause)}"
    return " ".join(text.split())[:LONGEST]


def _place(error: BaseException) -> str:
    frames = extract_tb(error.__traceback__)[: -_FRAMES - 1 : -1]
    return " at " + " < ".join(f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in frames) if frames else ""
