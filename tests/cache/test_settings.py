"""What the settings say about the cache, and refuse."""

from datetime import timedelta

import pytest

from imagegallery.cache.policy import LONGEST, CacheOptions
from imagegallery.delivery.options import DeliveryOptions
from imagegallery.errors import ConfigurationError
from imagegallery.settings import Settings


def test_a_private_url_outlives_the_pages_it_is_in_by_far() -> None:
    least = Settings().delivery.private_url_ttl / 2
    assert least > 2 * LONGEST
    assert Settings(delivery=DeliveryOptions(private_url_ttl=4 * LONGEST)).delivery.private_url_ttl == 4 * LONGEST
    with pytest.raises(ConfigurationError, match="private_url_ttl must be at least 0:24:00"):
        Settings(delivery=DeliveryOptions(private_url_ttl=4 * LONGEST - timedelta(seconds=1)))


def test_such_a_setting_is_refused_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEGALLERY_DELIVERY_PRIVATE_URL_TTL", "0:05:00")
    with pytest.raises(ConfigurationError, match="private_url_ttl"):
        Settings.from_env()


def test_the_cache_takes_64_mebibytes_or_what_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    assert CacheOptions().max_bytes == 64 * 2**20
    monkeypatch.setenv("IMAGEGALLERY_CACHE_MAX_BYTES", "0")
    assert Settings.from_env().cache == CacheOptions(max_bytes=0)
    with pytest.raises(ValueError, match="max_bytes"):
        CacheOptions(max_bytes=-1)
