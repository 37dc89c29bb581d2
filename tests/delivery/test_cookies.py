"""Cookies for all files of a gallery: CloudFront's, verified as CloudFront does, and our own."""

import json
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from attrs import evolve
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.support.clock import ManualClock
from typed_settings import SecretStr

from imagegallery.delivery.cloudfront import CloudFrontCookies
from imagegallery.delivery.cookies import OwnCookies
from imagegallery.delivery.options import CloudFrontOptions, DeliveryOptions, SigningKey
from imagegallery.errors import ConfigurationError
from imagegallery.images.presentation.urls import gallery_folder
from imagegallery.storage.signatures import UrlSigner

BASE = "https://cdn.example.com/api/v1"
GALLERY, OTHER = UUID("01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52"), UUID("01940c7e-77d0-7a11-9c3e-2f5d8b6a4e90")
ENDS = datetime(2026, 12, 1, 12, 30, tzinfo=UTC)


@pytest.fixture
def options(pem: str) -> CloudFrontOptions:
    key = SigningKey("K1", pem=SecretStr(pem))
    return CloudFrontOptions(galleries_url=f"{BASE}/", cookie_domain="example.com", key=key)


def values(cookies: CloudFrontCookies) -> Mapping[str, str]:
    made = cookies.cookies_of(gallery_folder(GALLERY), ENDS)
    assert {each.domain for each in made} == {"example.com"}
    return {each.name: each.value for each in made}


def unescaped(text: str) -> bytes:
    return b64decode(text.replace("-", "+").replace("_", "=").replace("~", "/"), validate=True)


def verified(cookies: Mapping[str, str], public: RSAPublicKey) -> Mapping[str, object]:
    """The statement of the policy, after the signature was verified. Raises `InvalidSignature`."""
    policy = unescaped(cookies["CloudFront-Policy"])
    public.verify(unescaped(cookies["CloudFront-Signature"]), policy, PKCS1v15(), SHA1())
    [statement] = json.loads(policy)["Statement"]
    return dict(statement)


def test_one_policy_is_for_the_files_of_one_gallery_until_they_end(
    options: CloudFrontOptions, clock: ManualClock, private_key: RSAPrivateKey
) -> None:
    found = values(CloudFrontCookies(options, clock))
    assert found["CloudFront-Key-Pair-Id"] == "K1"
    assert verified(found, private_key.public_key()) == {
        "Resource": f"{BASE}/galleries/{GALLERY}/files/*",
        "Condition": {"DateLessThan": {"AWS:EpochTime": int(ENDS.timestamp())}},
    }
    for value in found.values():
        assert not set(value) & set(' ",;\\=+/'), "no character that a cookie cannot hold"


def test_a_policy_altered_anywhere_is_none(
    options: CloudFrontOptions, clock: ManualClock, private_key: RSAPrivateKey
) -> None:
    found = values(CloudFrontCookies(options, clock))
    policy, signature = (bytearray(unescaped(found[f"CloudFront-{name}"])) for name in ("Policy", "Signature"))
    public = private_key.public_key()
    for altered in (policy, signature):
        for place in range(len(altered)):
            altered[place] ^= 1
            with pytest.raises(InvalidSignature):
                public.verify(bytes(signature), bytes(policy), PKCS1v15(), SHA1())
            altered[place] ^= 1
    public.verify(bytes(signature), bytes(policy), PKCS1v15(), SHA1())


def test_all_processes_change_over_to_the_next_key_together(options: CloudFrontOptions, clock: ManualClock) -> None:
    following = generate_private_key(65537, 2048)
    pem = following.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    moment = clock() + timedelta(days=1)
    cookies = CloudFrontCookies(
        evolve(options, next_key=SigningKey("K2", pem=SecretStr(pem)), next_key_from=moment), clock
    )
    assert values(cookies)["CloudFront-Key-Pair-Id"] == "K1"
    clock.advance(timedelta(days=1))
    found = values(cookies)
    assert found["CloudFront-Key-Pair-Id"] == "K2"
    verified(found, following.public_key())


def test_cookies_need_a_key_and_a_domain() -> None:
    key = SigningKey("K1", pem=SecretStr("x"))
    for incomplete in ({"key": key}, {"cookie_domain": "example.com"}):
        with pytest.raises(ConfigurationError, match="galleries_url needs"):
            CloudFrontOptions(galleries_url=BASE, **incomplete)
    with pytest.raises(ConfigurationError, match="at least 16 bytes"):
        DeliveryOptions(edge_secret=SecretStr("short"))


def test_our_own_are_for_one_gallery_until_they_end(clock: ManualClock) -> None:
    cookies = OwnCookies(UrlSigner(b"a secret for these tests only", clock), "")
    folder, ends = gallery_folder(GALLERY), clock() + timedelta(minutes=10)
    [made] = cookies.cookies_of(folder, ends)
    assert cookies.end_of({made.name: made.value}, folder) == ends.replace(microsecond=0)
    assert cookies.end_of({made.name: made.value}, gallery_folder(OTHER)) is None
    assert made.value not in repr(made)
    another = OwnCookies(UrlSigner(b"another secret of other tests", clock), "")
    assert another.end_of({made.name: made.value}, folder) is None
    clock.advance(timedelta(minutes=10))
    assert cookies.end_of({made.name: made.value}, folder) is None
