"""How files are cut into parts, and which parts make a file."""

from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from imagegallery.errors import InvalidInput, PartMismatch, TooLarge, UploadIncomplete
from imagegallery.storage.protocol import Part, PartLimits
from imagegallery.uploads.session.part_plan import ClaimedPart, PartPlan, check_numbers, parts_to_join, plan_parts

MIB = 1024 * 1024
S3 = PartLimits(5 * MIB, 5 * 1024 * MIB, 10_000)
ANY = PartLimits(1, 100, 10)
PLAN = PartPlan(25, 10)

limits = st.builds(
    lambda smallest, more, most: PartLimits(smallest, smallest + more, most),
    st.integers(1, 10**7),
    st.integers(0, 10**10),
    st.integers(1, 10_000),
)


@given(total=st.integers(1, 10**14), preferred=st.integers(1, 10**10), limits=limits)
def test_a_plan_keeps_within_the_limits_and_covers_the_file(total: int, preferred: int, limits: PartLimits) -> None:
    assume(total <= limits.largest * limits.most)
    plan = plan_parts(total, preferred, limits)
    lengths = [plan.length(1), plan.length(plan.count)]
    assert 1 <= plan.count <= limits.most
    assert plan.size <= limits.largest
    assert plan.size * (plan.count - 1) + lengths[-1] == total
    assert 1 <= lengths[-1] <= plan.size
    if plan.count > 1:
        assert lengths[0] == plan.size >= limits.smallest


@given(count=st.integers(2, S3.most), short=st.integers(0, 5 * MIB - 1), preferred=st.integers(5 * MIB, 64 * MIB))
def test_the_preferred_size_is_taken_where_it_can_be(count: int, short: int, preferred: int) -> None:
    assert plan_parts(count * preferred - short, preferred, S3) == PartPlan(count * preferred - short, preferred)


def test_what_the_store_cannot_hold_is_too_large() -> None:
    assert plan_parts(1_000, 1, ANY) == PartPlan(1_000, 100)
    with pytest.raises(TooLarge):
        plan_parts(1_001, 1, ANY)


def parts(*sizes: int) -> list[Part]:
    return [Part(number, f"e{number}", size) for number, size in enumerate(sizes, 1)]


def claims(*numbers: int) -> list[ClaimedPart]:
    return [ClaimedPart(number, f"e{number}") for number in numbers]


@pytest.mark.parametrize("claimed", [None, claims(1, 2, 3), [ClaimedPart(1), ClaimedPart(2), ClaimedPart(3)]])
def test_all_parts_as_planned_are_the_file(claimed: Sequence[ClaimedPart] | None) -> None:
    assert parts_to_join(parts(10, 10, 5), claimed, PLAN, ANY) == parts(10, 10, 5)


def test_without_a_plan_the_client_says_how_many_there_are() -> None:
    assert parts_to_join(parts(7, 9, 2), None, None, ANY) == parts(7, 9, 2)
    assert parts_to_join(parts(7, 9, 2), claims(1, 2), None, ANY) == parts(7, 9)


@pytest.mark.parametrize(
    ("stored", "claimed", "plan", "missing", "first"),
    [
        (parts(10, 10), None, PLAN, 1, 3),
        (parts(10, 10, 5)[1:], None, PLAN, 1, 1),
        (parts(10, 10, 5), claims(1, 2), PLAN, 1, 3),
        (parts(10, 10, 5)[::2], None, None, 1, 2),
        (parts(10), claims(1, 2, 3), None, 2, 2),
    ],
)
def test_a_missing_part_is_named(
    stored: Sequence[Part], claimed: Sequence[ClaimedPart] | None, plan: PartPlan | None, missing: int, first: int
) -> None:
    with pytest.raises(UploadIncomplete) as raised:
        parts_to_join(stored, claimed, plan, ANY)
    assert raised.value.details == {"missing": missing, "first": first}


def test_no_part_at_all_is_no_file() -> None:
    with pytest.raises(UploadIncomplete):
        parts_to_join([], None, None, ANY)


@pytest.mark.parametrize("numbers", [(), (1, 1), (2, 1, 3), (1, 3), (0, 1), (1, 2, 3, 4)])
def test_claims_that_are_repeated_out_of_order_or_beyond_the_plan_are_refused(numbers: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInput):
        parts_to_join(parts(10, 10, 5), claims(*numbers), PLAN, ANY)


@pytest.mark.parametrize("sizes", [(10, 9, 5), (10, 10, 4), (10, 10, 6), (9, 11, 5)])
def test_a_part_that_is_not_as_long_as_planned_is_refused(sizes: tuple[int, ...]) -> None:
    with pytest.raises(PartMismatch):
        parts_to_join(parts(*sizes), None, PLAN, ANY)


def test_only_the_last_part_may_be_smaller_than_the_store_allows() -> None:
    least = PartLimits(5, 100, 10)
    assert len(parts_to_join(parts(5, 5, 1), None, None, least)) == 3
    with pytest.raises(PartMismatch) as raised:
        parts_to_join(parts(5, 4, 1), None, None, least)
    assert raised.value.details == {"number": 2, "expected": 5, "received": 4}


def test_another_etag_is_another_part() -> None:
    with pytest.raises(PartMismatch):
        parts_to_join(parts(10, 10, 5), [*claims(1, 2), ClaimedPart(3, "e2")], PLAN, ANY)


@pytest.mark.parametrize("numbers", [(), (0,), (11,), (1, 1), tuple(range(1, 102))])
def test_numbers_to_sign_are_different_parts_and_not_too_many(numbers: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInput):
        check_numbers(numbers, 10 if len(numbers) < 100 else 1000)
    check_numbers(range(1, 101), 100)
