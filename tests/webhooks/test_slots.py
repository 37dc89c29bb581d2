"""One host that never answers, and one owner of many webhooks, keep few deliveries busy."""

from contextlib import ExitStack

import pytest

from imagegallery.errors import Overloaded
from imagegallery.webhooks.slots import DeliverySlots


def test_so_many_of_one_owner_and_no_more() -> None:
    slots = DeliverySlots(per_owner=2, per_host=10)
    with ExitStack() as under_way:
        under_way.enter_context(slots.take("ana", "a.example"))
        under_way.enter_context(slots.take("ana", "b.example"))
        with pytest.raises(Overloaded), slots.take("ana", "c.example"):
            pass
        with slots.take("ben", "c.example"):
            pass
    with slots.take("ana", "c.example"), slots.take("ana", "d.example"):
        pass


def test_so_many_to_one_host_however_it_is_written() -> None:
    slots = DeliverySlots(per_owner=10, per_host=2)
    with slots.take("ana", "Tarpit.example"), slots.take("ben", "tarpit.example."):
        with pytest.raises(Overloaded), slots.take("cem", "tarpit.example"):
            pass
        with slots.take("cem", "other.example"):
            pass


def test_one_that_fails_gives_its_room_back() -> None:
    slots = DeliverySlots(per_owner=1, per_host=1)
    with pytest.raises(ValueError, match="away"), slots.take("ana", "a.example"):
        raise ValueError("away")
    with slots.take("ana", "a.example"):
        pass
