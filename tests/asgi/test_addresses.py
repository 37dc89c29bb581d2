"""What is remembered of requests is bounded in bytes, whatever strangers ask for."""

from starlette.types import Scope

from imagegallery.cache.policy import IMAGE_PAGES
from imagegallery.galleries.pages import PageTicket
from imagegallery_asgi.framework.known_pages import MAX_BYTES, MAX_QUERY_BYTES, Known, KnownAddresses

KNOWN = Known(PageTicket("gallery", "key", IMAGE_PAGES), "/galleries/{gallery_id}/images")


def asked(query: bytes) -> Scope:
    return {"path": "/galleries/1/images", "query_string": query}


def test_a_long_query_is_not_remembered() -> None:
    addresses = KnownAddresses()
    shortest, longest, longer = (asked(b"q" * length) for length in (0, MAX_QUERY_BYTES, MAX_QUERY_BYTES + 1))
    for scope in (shortest, longest, longer):
        addresses.remember(scope, KNOWN)
    assert [addresses.find(scope) for scope in (shortest, longest, longer)] == [KNOWN, KNOWN, None]


def test_made_up_addresses_take_no_more_than_they_may() -> None:
    addresses = KnownAddresses()
    for number in range(20_000):
        addresses.remember(asked(b"q=%0200d" % number), KNOWN)
    assert MAX_BYTES / 2 < addresses.size <= MAX_BYTES
    assert addresses.find(asked(b"q=%0200d" % 0)) is None
    assert addresses.find(asked(b"q=%0200d" % 19_999)) == KNOWN


def test_one_address_of_two_mount_points_is_two() -> None:
    addresses = KnownAddresses()
    addresses.remember(asked(b""), KNOWN)
    assert addresses.find({**asked(b""), "root_path": "/pictures"}) is None
