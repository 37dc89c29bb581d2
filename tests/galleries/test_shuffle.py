"""The seeded order of slots: a permutation, another one for each seed. Pure."""

import itertools
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegallery.galleries.shuffle import KEY_BITS, MAX_BITS, MAX_SEED, Shuffle, bits_for, shuffle

seeds = st.integers(0, MAX_SEED)


def step_of(order: Shuffle, slot: int) -> int:
    """The inverse of `Shuffle.slot_at`."""
    low = order.steps - 1
    mixed = (slot * order.first + order.shift) & low
    mixed ^= mixed >> order.fold
    mixed = (mixed * order.second) & low
    return mixed ^ (mixed >> order.fold)


@given(seed=seeds, bits=st.integers(0, 12))
def test_every_slot_is_visited_once(seed: int, bits: int) -> None:
    order = shuffle(seed, bits)
    slots = [order.slot_at(step) for step in range(order.steps)]
    assert sorted(slots) == list(range(2**bits))
    assert [step_of(order, slot) for slot in slots] == list(range(2**bits))


@given(seed=seeds, bits=st.integers(0, MAX_BITS), data=st.data())
def test_steps_and_slots_are_inverse_at_any_size(seed: int, bits: int, data: st.DataObject) -> None:
    order = shuffle(seed, bits)
    step = data.draw(st.integers(0, order.steps - 1))
    assert step_of(order, order.slot_at(step)) == step
    # bigint, in the SQL that computes the same.
    assert order.first * order.steps + order.shift < 2**63


@given(seed=seeds, bits=st.integers(0, 10))
def test_slots_share_out_all_keys(seed: int, bits: int) -> None:
    order = shuffle(seed, bits)
    starts = sorted(order.starts(0, 2 * order.steps))
    assert starts == list(range(0, 2**KEY_BITS, order.slot_width))


def test_seeds_give_different_orders() -> None:
    orders = {tuple(shuffle(seed, 10).slot_at(step) for step in range(1024)) for seed in range(200)}
    assert len(orders) == 200


def test_an_order_looks_like_chance() -> None:
    """Over many seeds, how far apart neighbours are and where a slot comes are what chance would give, nearly."""
    slots = 2**10
    jumps, places = [], []
    for seed in range(100):
        order = [shuffle(seed, 10).slot_at(step) for step in range(slots)]
        jumps += [abs(a - b) for a, b in itertools.pairwise(order)]
        places.append(order.index(7))
    assert statistics.mean(jumps) == pytest.approx(slots / 3, rel=0.1)
    assert statistics.mean(places) == pytest.approx(slots / 2, rel=0.25)


@given(st.integers(0, 2**29))
def test_there_are_about_as_many_slots_as_images(count: int) -> None:
    bits = bits_for(count)
    assert bits % 2 == 0
    assert max(count, 1) / 2 <= 2**bits <= 4 * max(count, 1)
