"""What a snapshot has seen: against a model of the server, and against the server itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegallery.cache import records
from imagegallery.cache.snapshots import Snapshot
from imagegallery.database.pool import Database


@given(st.lists(st.sampled_from(["begin", "end", "look"]), max_size=40), st.randoms(use_true_random=False))
def test_a_snapshot_covers_another_exactly_if_it_has_seen_all_that_the_other_has(
    steps: list[str], random: object
) -> None:
    """A server in miniature: transactions begin, end in any order, and are looked at."""
    next_id, running, ended = 1, [], set[int]()
    looks: list[tuple[Snapshot, frozenset[int]]] = []
    for step in steps:
        if step == "begin":
            running.append(next_id)
            next_id += 1
        elif step == "end" and running:
            ended.add(running.pop(random.randrange(len(running))))  # type: ignore[attr-defined]
        else:
            looks.append((Snapshot("server", next_id, frozenset(running)), frozenset(ended)))
    for one, seen in looks:
        for other, also_seen in looks:
            assert one.covers(other) is (also_seen <= seen)


def test_of_another_server_nobody_knows() -> None:
    assert not Snapshot("one", 9, frozenset()).covers(Snapshot("another", 1, frozenset()))


@given(st.sets(st.integers(1, 99)), st.text(st.characters(exclude_categories=["Cs"])))
def test_a_snapshot_is_read_as_it_was_written(running: set[int], server: str) -> None:
    snapshot = Snapshot(server, 100, frozenset(running))
    assert Snapshot.parse(str(snapshot)) == snapshot


@pytest.mark.parametrize("text", ["", "server", "server 1:2", "server 1:x:", "server 1:2:3:4", "server 1:2:a"])
def test_what_is_no_snapshot_is_not_read(text: str) -> None:
    with pytest.raises(ValueError):
        Snapshot.parse(text)


async def test_what_is_committed_is_seen_and_what_is_running_is_not(database: Database) -> None:
    async with database.connection() as eye:
        before = await records.take_snapshot(eye)
        async with database.transaction() as long:
            await long.execute("CREATE TABLE long ()")
            during = await records.take_snapshot(eye)
            async with database.transaction() as short:
                await short.execute("CREATE TABLE short ()")
            between = await records.take_snapshot(eye)
        after = await records.take_snapshot(eye)
    order = [before, during, between, after]
    for place, one in enumerate(order):
        assert [one.covers(other) for other in order[: place + 1]] == [True] * (place + 1)
    assert not between.covers(after), "the long one was running"
    assert not during.covers(between)
