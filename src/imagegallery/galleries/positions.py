"""Where images go when they are moved, in numbers: pure.

Positions are integers, 2^32 apart where there is room. An image that is moved gets a number between its new
neighbours, and nothing else is written. Where there is no number left between them, a window around the gap is
spread out anew: as many rows on each side as it takes for neighbours to lie `COMFORT` apart.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from attrs import frozen

SPACING: Final = 2**32

# After a renumbering at least 16 more images fit into any of its gaps, one by one.
COMFORT: Final = 2**16

# How many rows on each side of a gap may be renumbered, tried in turn; a whole gallery always fits.
REACHES: Final = (0, *(4**exponent for exponent in range(2, 16)))

# No position is as low or as high as these (bigint's ends).
LOWEST, HIGHEST = -(2**63), 2**63 - 1


@frozen
class Renumbering:
    """How the positions between ``below`` and ``above`` changed; their order did not.

    ``old`` and ``new`` are ascending and equally long. ``revision`` is the gallery's from then on.
    """

    revision: int
    below: int
    above: int
    old: tuple[int, ...]
    new: tuple[int, ...]

    def translate(self, position: int) -> int:
        """What comes after the answer is now what came after ``position`` before."""
        if not self.below <= position < self.above:
            return position
        passed = bisect_right(self.old, position)
        return self.new[passed - 1] if passed else self.below


@frozen
class Placement:
    """New positions, ascending: of the images moved, and of those before and after them that make room."""

    below: int
    above: int
    before: tuple[int, ...]
    moved: tuple[int, ...]
    after: tuple[int, ...]


def place(before: Sequence[int], after: Sequence[int], count: int, reach: int) -> Placement | None:
    """Room for ``count`` images in a gap, when ``reach`` rows on each side of it may be renumbered.

    ``before`` and ``after`` are the positions on both sides, nearest first, up to one more than ``reach``: the
    last one bounds the window, and without it the list ends within reach. ``None``: it takes a longer reach.
    """
    below = before[reach] if len(before) > reach else None
    above = after[reach] if len(after) > reach else None
    giving_way = len(before[:reach]), len(after[:reach])
    positions = spread(below, above, count + sum(giving_way), least=COMFORT if reach else 1)
    if positions is None:
        return None
    first, last = giving_way[0], giving_way[0] + count
    return Placement(
        below=LOWEST if below is None else below,
        above=HIGHEST if above is None else above,
        before=positions[:first],
        moved=positions[first:last],
        after=positions[last:],
    )


def spread(below: int | None, above: int | None, count: int, *, least: int = 1) -> tuple[int, ...] | None:
    """``count`` positions strictly between two others, ascending, at least ``least`` apart; ``None``: no room.

    ``None`` for a bound is the open end of the list, where they are `SPACING` apart while numbers last.
    """
    if below is None and above is None:
        below, above = -SPACING * (count + 1) // 2, None
    room = (HIGHEST if above is None else above) - (LOWEST if below is None else below)
    step = room // (count + 1)
    if step < least:
        return None
    if below is not None and above is not None:
        return tuple(below + room * number // (count + 1) for number in range(1, count + 1))
    step = min(step, SPACING)
    start = below if below is not None else (above or 0) - step * (count + 1)
    return tuple(start + step * number for number in range(1, count + 1))
