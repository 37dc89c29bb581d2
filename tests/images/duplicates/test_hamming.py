from hypothesis import given
from hypothesis import strategies as st

from imagegallery.images.duplicates.hamming import NEAR, buckets, distance, probes, signed, turns, unsigned

hashes = st.integers(0, 2**64 - 1)
few_bits = st.sets(st.integers(0, 63), max_size=NEAR)


@given(hashes, few_bits)
def test_whatever_is_near_is_found_by_equality(phash: int, flipped: set[int]) -> None:
    other = phash ^ sum(1 << bit for bit in flipped)

    assert set(buckets(other)) & set(probes(phash))


def test_one_bit_more_may_be_missed() -> None:
    """Two bits in each quarter: the limit is no wider than it has to be."""
    assert not set(buckets(0)) & set(probes(0x0003_0003_0003_0003))


def test_there_are_68_places_to_look() -> None:
    assert len(set(probes(0x0123_4567_89AB_CDEF))) == 68


@given(hashes)
def test_four_quarter_turns_are_none(phash: int) -> None:
    assert len(turns(phash)) == 4
    assert turns(turns(phash)[3])[1] == phash


@given(hashes, hashes)
def test_the_distance_is_the_same_from_both_sides(one: int, other: int) -> None:
    assert distance(one, other) == distance(other, one)
    assert distance(one, one) == 0


@given(hashes)
def test_the_bits_survive_the_database(phash: int) -> None:
    assert -(2**63) <= signed(phash) < 2**63
    assert unsigned(signed(phash)) == phash
