"""Distances between pHashes (`imagegallery.imaging.phash`), and how to find near ones by equality alone. Pure.

A 64-bit hash has four quarters of 16 bits. If two hashes differ in at most 7 bits, one of their quarters differs in at
most one: four quarters with two bits each would be 8. So a lookup of each quarter, and of each of the 16 that differ
from it in one bit, finds them all in a plain index (multi-index hashing: M. Norouzi, A. Punjani, D. Fleet, "Fast Search
in Hamming Space with Multi-Index Hashing", CVPR 2012, section 3).
"""

from typing import Final

NEAR: Final = 7
"""The most bits by which the hashes of look-alikes differ."""

_QUARTER: Final = 16
_MASK: Final = 2**_QUARTER - 1
_SIDE: Final = 8
_SIGN: Final = 2**63


def turns(phash: int) -> tuple[int, ...]:
    """The hashes of the picture as it is, and turned by a quarter, a half and three quarters.

    A turn swaps the two axes, then mirrors one of them, which changes the sign of its odd frequencies.
    """
    turned = [phash]
    for _ in range(3):
        turned.append(_quarter_turn(turned[-1]))
    return tuple(turned)


def _quarter_turn(phash: int) -> int:
    result = 0
    for down in range(_SIDE):
        for across in range(_SIDE):
            bit = phash >> (_SIDE * across + down) & 1
            is_odd = across % 2 == 0  # frequency across + 1
            result |= (bit ^ is_odd) << (_SIDE * down + across)
    return result


def distance(one: int, other: int) -> int:
    """The bits by which two pictures' hashes differ, however either is turned."""
    return min((turned ^ other).bit_count() for turned in turns(one))


def buckets(phash: int) -> list[int]:
    """The four numbers that index a hash: each quarter with its position."""
    return [quarter << _QUARTER | phash >> (quarter * _QUARTER) & _MASK for quarter in range(4)]


def probes(phash: int) -> list[int]:
    """The 68 numbers to look up: they index every hash that differs in at most `NEAR` bits."""
    return [bucket ^ flip for bucket in buckets(phash) for flip in (0, *(1 << bit for bit in range(_QUARTER)))]


def signed(phash: int) -> int:
    """The same 64 bits as PostgreSQL's ``bigint`` holds them."""
    return phash - 2 * _SIGN if phash >= _SIGN else phash


def unsigned(phash: int) -> int:
    """The inverse of `signed`."""
    return phash % (2 * _SIGN)
