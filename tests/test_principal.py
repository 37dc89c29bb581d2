"""Who is asking."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from imagegallery.errors import Unauthenticated
from imagegallery.principal import Principal


@pytest.mark.parametrize(("user_id", "text"), [(7, "7"), ("ana", "ana"), (UUID(int=1), str(UUID(int=1)))])
def test_any_stable_id_will_do(user_id: object, text: str) -> None:
    assert Principal.user(user_id).require_user() == text


def test_a_visitor_is_no_user() -> None:
    with pytest.raises(Unauthenticated):
        Principal.anonymous().require_user()


@pytest.mark.parametrize("user_id", ["", "a\0b", "a\nb", "\ud800", "x" * 256])
def test_ids_that_cannot_be_kept_are_a_bug_of_the_host(user_id: str) -> None:
    with pytest.raises(ValueError, match="printable"):
        Principal.user(user_id)


def test_what_a_user_has_proven_holds_until_a_moment() -> None:
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    assert Principal.user("ana", expires_at=moment).expires_at == moment
    assert Principal.user("ana").expires_at is None
    with pytest.raises(ValueError, match="names no moment"):
        Principal.user("ana", expires_at=moment.replace(tzinfo=None))
