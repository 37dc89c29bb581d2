"""The difference between "leave it as it is" and "set it to nothing", for partial updates."""

from enum import Enum
from typing import Final, Literal


class Unset(Enum):
    """Its only member, ``UNSET``, is the default of every argument of a partial update."""

    UNSET = 0  # no text, so that a union with one can be described

    def __bool__(self) -> Literal[False]:
        return False


UNSET: Final = Unset.UNSET
