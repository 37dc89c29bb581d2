"""What is kept of where a request comes from."""

import pytest

from imagegallery.audit.entry import Origin
from imagegallery.audit.options import AuditOptions
from imagegallery.audit.origin import MAX_USER_AGENT, coming_from, current_origin, origin_of
from imagegallery.errors import ConfigurationError


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("unix:", None),
        ("", None),
        (None, None),
    ],
)
def test_an_address_is_kept_as_its_network(address: str | None, kept: str | None) -> None:
    assert origin_of(AuditOptions(), address).address == kept


def test_or_as_a_salted_hash() -> None:
    options = AuditOptions(addresses="hash", salt="0123456789abcdef")
    kept = origin_of(options, "203.0.113.77").address
    assert kept is not None
    assert len(kept) == 32
    assert kept == origin_of(options, "::ffff:203.0.113.77").address
    assert kept != origin_of(options, "203.0.113.78").address
    assert kept != origin_of(AuditOptions(addresses="hash", salt="another salt of 16"), "203.0.113.77").address


def test_or_not_at_all() -> None:
    assert origin_of(AuditOptions(addresses="none"), "203.0.113.77", "r", "curl") == Origin(None, "r", "curl")


@pytest.mark.parametrize("salt", [None, "", "short"])
def test_a_hash_needs_a_salt(salt: str | None) -> None:
    with pytest.raises(ConfigurationError, match=r"audit\.salt"):
        AuditOptions(addresses="hash", salt=salt)


def test_what_clients_send_is_short_and_printable() -> None:
    kept = origin_of(AuditOptions(), None, "r\0", "a" * 1000 + "\n")
    assert (kept.request_id, kept.user_agent) == ("r", "a" * MAX_USER_AGENT)


def test_an_origin_holds_for_one_request() -> None:
    with coming_from(lambda: Origin("203.0.113.0/24")):
        assert current_origin() == Origin("203.0.113.0/24")
    assert current_origin() == Origin()
