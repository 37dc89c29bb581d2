"""Whether code takes time in proportion to its input: held by growth, so that no machine is too slow for it.

A stranger's text must never cost the square of its length. What is compared is the processor time of this thread for a
text and for one eight times as long: eight times as much is linear, sixty-four times quadratic.
"""

import gc
import signal
import string
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

SHORT: Final = 500
FACTOR: Final = 8
# Between 8 (linear) and 64 (quadratic).
_MOST_GROWTH: Final = 24
# A measurement that another process has disturbed is repeated; what is quadratic is so each time.
_TRIES: Final = 12
# Processor seconds for one text of 4,000 characters, of which an honest parser needs a thousandth.
_HANGS: Final = 5.0

# What the grammars of headers are made of, some characters at a time.
STRUCTURE: Final = ('""', ";a", ';a="', ",\t", "a,", "a=", "a.", '"x",', "()", "[]")


def units(prefix: str) -> Iterator[str]:
    """What an adversary repeats: every character of ISO-8859-1 (of each kind one after a prefix), and structure."""
    yield from string.punctuation + " \t\na0é\0" if prefix else map(chr, range(256))
    yield from STRUCTURE
    yield from (first + second for first in "\\\"';,=: \t" for second in "\\\"';,=: a")


def attacks(prefix: str, unit: str, length: int) -> Iterator[str]:
    """Texts of about this length that a pattern may believe in until the last character."""
    repeated = unit * (length // len(unit))
    yield prefix + repeated
    yield prefix + repeated + "\0"


def growth(parse: Callable[[str], object], prefix: str, unit: str) -> float:
    """The least seen: how many times as long the longer text takes."""
    least = float("inf")
    for _ in range(_TRIES):
        short, long = (
            sum(_seconds(parse, text) for text in attacks(prefix, unit, length)) for length in (SHORT, SHORT * FACTOR)
        )
        least = min(least, long / short)
        if least <= _MOST_GROWTH:
            break
    return least


def check_linear(parse: Callable[[str], object], prefix: str = "", repeated: Iterable[str] | None = None) -> None:
    """Fails for the first unit that makes ``parse`` grow faster than its input. To refuse a text (raise) is fine."""
    for unit in units(prefix) if repeated is None else repeated:
        found = growth(parse, prefix, unit)
        assert found <= _MOST_GROWTH, f"{FACTOR} times {unit!r} after {prefix!r} takes {found:.0f} times as long"


def _seconds(parse: Callable[[str], object], text: str) -> float:
    with _ended_when_it_hangs(text):
        started = time.thread_time()
        try:
            parse(text)
        except AssertionError:
            raise
        except Exception:
            pass
        return time.thread_time() - started


@contextmanager
def _ended_when_it_hangs(text: str) -> Iterator[None]:
    def fail(_: int, __: FrameType | None) -> None:
        raise AssertionError(f"{_HANGS} s are not enough for {text[:60]!r}…")

    gc.disable()  # what it collects is everybody's
    before = signal.signal(signal.SIGVTALRM, fail)
    signal.setitimer(signal.ITIMER_VIRTUAL, _HANGS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
        gc.enable()
