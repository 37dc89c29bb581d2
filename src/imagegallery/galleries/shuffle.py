"""A seeded order of a gallery that is read by index, a page at a time: pure.

Every image has a fixed random key of 48 bits. The keys' range is cut into ``2^bits`` equal slots, about one for
each image, and the seed decides in which order the slots are visited and how the few images in one slot follow
each other. A page reads the slots of its steps, each a short range of the index: what it costs depends on the
page alone, not on how far along the walk it is.

The order of slots is a bijection of integers below ``2^bits`` made of odd multiplications and shifts (as in the
finalizers of MurmurHash3 and SplitMix64), whose constants are digested from the seed. It is not a uniform draw
out of all permutations, and not meant to keep secrets: two images whose keys share a slot are next to each other,
or in each other's neighbourhood, for every seed.
"""

import hashlib
import struct
from functools import lru_cache
from typing import Final

from attrs import frozen

KEY_BITS: Final = 48
MAX_SEED: Final = 2**53 - 1  # what JSON numbers hold exactly in every client (RFC 8259, section 6)
MAX_BITS: Final = 30  # products of two slot numbers and a sum stay below 2^63


@frozen
class Shuffle:
    """``2^bits`` slots in the order of a seed. ``mask`` orders what is within a slot: by ``key XOR mask``.

    `step_of` and `slot_at` are each other's inverse.
    """

    bits: int
    first: int
    shift: int
    second: int
    mask: int

    @property
    def steps(self) -> int:
        return 1 << self.bits

    @property
    def key_shift(self) -> int:
        """A key's slot is the key without so many low bits."""
        return KEY_BITS - self.bits

    @property
    def slot_width(self) -> int:
        """How many keys one slot spans."""
        return 1 << self.key_shift

    @property
    def fold(self) -> int:
        """Shifting by at least half the bits makes ``x XOR (x >> fold)`` its own inverse."""
        return max(1, (self.bits + 1) // 2)

    def step_of(self, slot: int) -> int:
        """When the slot is visited; the SQL of numbered pages computes the same."""
        low = self.steps - 1
        mixed = (slot * self.first + self.shift) & low
        mixed ^= mixed >> self.fold
        mixed = (mixed * self.second) & low
        return mixed ^ (mixed >> self.fold)

    def slot_at(self, step: int) -> int:
        """The slot that is visited at this step."""
        mixed = step ^ (step >> self.fold)
        mixed = (mixed * _inverse(self.second, self.steps)) & (self.steps - 1)
        mixed ^= mixed >> self.fold
        return ((mixed - self.shift) * _inverse(self.first, self.steps)) & (self.steps - 1)

    def starts(self, step: int, count: int) -> list[int]:
        """The least keys of the slots of up to ``count`` steps from ``step`` on."""
        last = min(step + count, self.steps)
        return [self.slot_at(each) * self.slot_width for each in range(step, last)]


@lru_cache(maxsize=256)
def _inverse(odd: int, modulus: int) -> int:
    """Kept, because each of some ten thousand slots asks for the same two."""
    return pow(odd, -1, modulus)


def shuffle(seed: int, bits: int) -> Shuffle:
    """The order that ``seed`` gives ``2^bits`` slots."""
    digest = hashlib.sha256(f"imagegallery shuffle {seed}".encode()).digest()
    first, shift, second, mask = struct.unpack(">4Q", digest)
    low = 2**31 - 1
    return Shuffle(bits, first & low | 1, shift & low, second & low | 1, mask & (2**KEY_BITS - 1))


def bits_for(count: int) -> int:
    """So many bits that half a slot to two slots fall to each of ``count`` images.

    Always even: the order of numbered pages changes only when a gallery has grown or shrunk fourfold.
    """
    return min(MAX_BITS, 2 * round(max(count, 1).bit_length() / 2))
