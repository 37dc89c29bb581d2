"""Settings choose how clients get at what is private: one protocol, whichever way it is."""

import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from attrs import evolve
from tests.support.clock import ManualClock
from tests.support.library import make_image

from imagegallery.backends import private_urls
from imagegallery.delivery.addresses import StoreUrls
from imagegallery.delivery.cloudfront import CloudFrontUrls
from imagegallery.delivery.options import DeliveryOptions
from imagegallery.delivery.protocol import ObjectUrls
from imagegallery.errors import ConfigurationError
from imagegallery.images.presentation.urls import ImageUrls
from imagegallery.settings import Settings
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.signatures import UrlSigner


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> FilesystemStore:
    return FilesystemStore(tmp_path, UrlSigner(b"a secret for these tests only", clock), clock)


@pytest.fixture
def cloudfront(pem: str, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """The variables that switch it on, set."""
    variables = {
        "IMAGEGALLERY_STORAGE_S3_BUCKET": "pictures",
        "IMAGEGALLERY_DELIVERY_CLOUDFRONT_URL": "https://private.example",
        "IMAGEGALLERY_DELIVERY_CLOUDFRONT_KEY_ID": "K1",
        "IMAGEGALLERY_DELIVERY_CLOUDFRONT_KEY_PEM": pem,
        "IMAGEGALLERY_DELIVERY_CLOUDFRONT_NEXT_KEY_ID": "K2",
        "IMAGEGALLERY_DELIVERY_CLOUDFRONT_NEXT_KEY_PEM": pem,
        "IMAGEGALLERY_DELIVERY_CLOUDFRONT_NEXT_KEY_FROM": "2026-12-01T00:00:00Z",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


def test_without_a_distribution_the_store_signs(store: FilesystemStore, clock: ManualClock) -> None:
    assert isinstance(private_urls(Settings(), store, clock), StoreUrls)


def test_variables_alone_put_cloudfront_in_front(
    cloudfront: Mapping[str, str], store: FilesystemStore, clock: ManualClock
) -> None:
    urls = private_urls(Settings.from_env(), store, clock)
    assert isinstance(urls, CloudFrontUrls)
    assert urls._keys.now().key_id == "K1"
    assert cloudfront["IMAGEGALLERY_DELIVERY_CLOUDFRONT_KEY_PEM"] not in repr(Settings.from_env())


def test_cloudfront_needs_a_bucket_behind_it(
    cloudfront: Mapping[str, str], store: FilesystemStore, clock: ManualClock
) -> None:
    settings = Settings.from_env()
    with pytest.raises(ConfigurationError, match=r"storage\.s3\.bucket"):
        private_urls(evolve(settings, storage=Settings().storage), store, clock)


@pytest.fixture
def costly(cloudfront: Mapping[str, str], store: FilesystemStore, clock: ManualClock) -> ObjectUrls:
    return private_urls(Settings.from_env(), store, clock)


@pytest.mark.parametrize("is_costly", [True, False])
async def test_a_page_of_costly_urls_is_made_away_from_the_event_loop(
    is_costly: bool, costly: ObjectUrls, store: FilesystemStore, clock: ManualClock
) -> None:
    delivery = ImageUrls(costly if is_costly else StoreUrls(store), DeliveryOptions(), clock)
    image, until = make_image(), delivery.expires_at()

    def original_url() -> str:
        return delivery.download_url(image.original_key, until, content_type=image.mime_type)

    url, thread = await delivery.of_many(lambda: (original_url(), threading.get_ident()))
    assert url == original_url()
    assert (thread != threading.get_ident()) is is_costly
