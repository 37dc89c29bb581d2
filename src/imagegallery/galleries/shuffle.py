"""A seeded order of a gallery that is read by index, a page at a time. Pure.

Every image has a fixed random key of 48 bits. The range of keys is divided into ``2^bits`` equal slots, about one for
each image. The seed determines the order of the slots, and of the few images within one. A page reads the slots of its
steps, each a short range of the index, so its cost does not depend on its depth.

The order of slots is a bijection of integers below ``2^bits`` made of odd multiplications and shifts (as in the
finalizers of MurmurHash3 and SplitMix64), with constants digested from the seed. It is not a uniform choice among all
permutations, and keeps no secrets: two images whose keys share a slot are neighbours, or nearly, for every seed.
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
    """``2^bits`` slots in the order of a seed. ``mask`` orders keys within a slot: by ``key XOR mask``."""

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
        """The number of low bits to drop from a key to get its slot."""
        return KEY_BITS - self.bits

    @property
    def slot_width(self) -> int:
        """The number of keys in one slot."""
        return 1 << self.key_shift

    @property
    def fold(self) -> int:
        """A shift by at least half the bits, which makes ``x XOR (x >> fold)`` its own inverse."""
        return max(1, (self.bits + 1) // 2)

    def slot_at(self, step: int) -> int:
        """The slot of this step."""
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
    """Cached, since some ten thousand slots need the same two."""
    return pow(odd, -1, modulus)


def shuffle(seed: int, bits: int) -> Shuffle:
    """The order that ``seed`` gives ``2^bits`` slots."""
    digest = hashlib.sha256(f"imagegallery shuffle {seed}".encode()).digest()
    first, shift, second, mask = struct.unpack(">4Q", digest)
    low = 2**31 - 1
    return Shuffle(bits, first & low | 1, shift & low, second & low | 1, mask & (2**KEY_BITS - 1))


def bits_for(count: int) -> int:
    """The bits that put half an image to two images into a slot.

    Always even: the order of numbered pages only changes when a gallery has grown or shrunk fourfold.
    """
    return min(MAX_BITS, 2 * round(max(count, 1).bit_length() / 2))
