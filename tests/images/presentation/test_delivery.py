"""URLs: stable where they may be kept, short-lived and steady for a while where they may not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import START, ManualClock
from tests.support.library import make_image

from imagegallery.access.audience import Visibility
from imagegallery.access.decision import Facts
from imagegallery.delivery.addresses import StoreUrls
from imagegallery.delivery.options import DeliveryOptions
from imagegallery.errors import ConfigurationError
from imagegallery.images.image.image import Variant
from imagegallery.images.presentation.urls import ImageUrls, show, stepped_expiry
from imagegallery.principal import Principal
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.signatures import DownloadGrant, UrlSigner

HOUR = timedelta(hours=1)
SECRET = b"a secret for these tests only"
VARIANT = Variant("small", "webp", "library/images/1/small-f.webp", 300, 200, 1000, "f")


def delivery(clock: ManualClock, options: DeliveryOptions | None = None) -> ImageUrls:
    store = FilesystemStore(Path("never-used"), UrlSigner(SECRET, clock), clock)
    return ImageUrls(StoreUrls(store), options or DeliveryOptions(), clock)


def signed_url(urls: ImageUrls) -> str:
    return urls.variant_url(VARIANT, urls.expires_at())


def grant_in(url: str, clock: ManualClock) -> DownloadGrant:
    assert url.startswith("/objects/")
    return UrlSigner(SECRET, clock).read(url.removeprefix("/objects/"), DownloadGrant)


def test_a_public_variant_has_one_url(clock: ManualClock) -> None:
    url = delivery(clock).variant_url(VARIANT, None)
    clock.advance(timedelta(days=365))

    assert url == f"/files/{VARIANT.key}" == delivery(clock).variant_url(VARIANT, None)


@pytest.mark.parametrize("base", ["https://cdn.example/pictures", "https://cdn.example/pictures/"])
def test_a_cdn_goes_in_front_of_public_variants_only(clock: ManualClock, base: str) -> None:
    behind = delivery(clock, DeliveryOptions(cdn_url=base))

    assert behind.variant_url(VARIANT, None) == f"https://cdn.example/pictures/{VARIANT.key}"
    assert signed_url(behind).startswith("/objects/")


def test_urls_of_a_library_begin_with_where_the_api_is(clock: ManualClock) -> None:
    base = "https://photos.example/api/v1"
    options = DeliveryOptions(base_url=f"{base}/")
    store = FilesystemStore(Path("never-used"), UrlSigner(SECRET, clock), clock, base_url=base)
    usable = ImageUrls(StoreUrls(store), options, clock)

    assert usable.variant_url(VARIANT, None) == f"{base}/files/{VARIANT.key}"
    signed = signed_url(usable)
    assert grant_in(signed.removeprefix(base), clock).key == VARIANT.key


@pytest.mark.parametrize("public", [True, False])
def test_what_is_shown_tells_until_when_its_urls_work(clock: ManualClock, public: bool) -> None:
    urls = delivery(clock)
    facts = Facts("ana", Visibility.PUBLIC if public else Visibility.PRIVATE)
    shown = show(evolve(make_image(), variants=(VARIANT,)), Principal.anonymous(), urls, facts)

    assert shown.urls_expire_at == (None if public else grant_in(shown.variants[0].url, clock).expires_at)


def test_odd_keys_become_good_urls(clock: ManualClock) -> None:
    odd = evolve(VARIANT, key="a b/ü?.webp")

    assert delivery(clock).variant_url(odd, None) == "/files/a%20b/%C3%BC%3F.webp"


def test_a_private_variant_is_signed_for_its_key_and_type(clock: ManualClock) -> None:
    grant = grant_in(signed_url(delivery(clock)), clock)

    assert (grant.key, grant.content_type, grant.download_as) == (VARIANT.key, "image/webp", None)
    assert HOUR / 2 < grant.expires_at - clock() <= HOUR


def test_a_private_url_stays_the_same_for_a_while(clock: ManualClock) -> None:
    clock.set(datetime(2026, 1, 1, 12, 0, tzinfo=UTC))
    first = signed_url(delivery(clock))

    clock.advance(HOUR / 2 - timedelta(seconds=1))
    assert signed_url(delivery(clock)) == first

    clock.advance(timedelta(seconds=1))
    assert signed_url(delivery(clock)) != first


def test_the_original_is_signed_with_its_own_type_and_the_name_to_save_it_as(clock: ManualClock) -> None:
    image, urls = make_image(), delivery(clock)

    url = urls.download_url(image.original_key, urls.expires_at(), content_type=image.mime_type, download_as="trám.jpg")

    grant = grant_in(url, clock)
    assert (grant.key, grant.content_type, grant.download_as) == (image.original_key, "image/jpeg", "trám.jpg")


@given(
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=36525)),
    st.timedeltas(min_value=timedelta(seconds=2), max_value=timedelta(days=30)),
)
def test_an_expiry_is_between_half_and_all_of_the_lifetime_away(age: timedelta, ttl: timedelta) -> None:
    now = START + age
    expires_at = stepped_expiry(now, ttl)

    # A microsecond is lost where the half of an odd lifetime is rounded.
    assert ttl / 2 - timedelta(microseconds=1) <= expires_at - now <= ttl


def test_a_lifetime_too_short_to_step_is_refused(clock: ManualClock) -> None:
    with pytest.raises(ConfigurationError, match="2 seconds"):
        delivery(clock, DeliveryOptions(private_url_ttl=timedelta(seconds=1)))
