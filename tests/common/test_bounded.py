"""Whatever is put into a bounded map, it takes no more bytes than it may."""

from hypothesis import given
from hypothesis import strategies as st

from imagegallery.common.bounded import BoundedMap

ROOM = 100
STEPS = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.integers(0, ROOM + 20), st.sampled_from(["put", "get", "drop"]))
)


def of_numbers() -> BoundedMap[str, int]:
    """Each value is the size of its entry."""
    return BoundedMap(ROOM, lambda _, size: size)


def test_what_was_used_longest_ago_makes_room() -> None:
    kept = of_numbers()
    for key in "abc":
        kept.put(key, 30)
    kept.get("a")
    kept.put("d", 30)
    assert [key for key in "abcd" if kept.get(key)] == ["a", "c", "d"]


def test_what_is_too_large_pushes_out_only_what_it_replaces() -> None:
    kept = of_numbers()
    kept.put("a", 40)
    kept.put("b", 40)
    kept.put("a", ROOM + 1)
    assert (kept.get("a"), kept.get("b"), kept.size, len(kept)) == (None, 40, 40, 1)


def test_what_was_cleared_takes_nothing() -> None:
    kept = of_numbers()
    kept.put("a", 40)
    kept.clear()
    assert (kept.get("a"), kept.size, len(kept)) == (None, 0, 0)


@given(STEPS)
def test_it_never_takes_more_than_it_may_and_knows_how_much(steps: list[tuple[str, int, str]]) -> None:
    kept = of_numbers()
    for key, size, action in steps:
        if action == "put":
            kept.put(key, size)
            assert kept.get(key) == (size if size <= ROOM else None)
        elif action == "get":
            kept.get(key)
        else:
            kept.drop(key)
        held = [found for each in "abcdefgh" if (found := kept.get(each)) is not None]
        assert sum(held) == kept.size <= ROOM
