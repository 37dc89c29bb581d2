"""CloudFront URLs: the same as AWS's own library makes, for one object each, and changed over to a new key together."""

from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from attrs import evolve
from botocore.signers import CloudFrontSigner
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.clock import ManualClock
from typed_settings import SecretStr

from imagegallery.delivery.cloudfront import CloudFrontUrls
from imagegallery.delivery.options import CloudFrontOptions, SigningKey
from imagegallery.errors import ConfigurationError

BASE = "https://private.example"
KEY = "library/images/1/small-f.webp"
ENDS = datetime(2026, 12, 1, 12, 30, tzinfo=UTC)
KEY_TEXT = st.text(st.characters(exclude_characters="\\", exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)


def peer(private_key: RSAPrivateKey) -> Any:
    """AWS's own signer of such URLs, with the same key."""
    return CloudFrontSigner("K1", lambda message: private_key.sign(message, PKCS1v15(), SHA1()))


def options(pem: str) -> CloudFrontOptions:
    return CloudFrontOptions(url=f"{BASE}/", key=SigningKey("K1", pem=SecretStr(pem)))


@pytest.fixture
def urls(pem: str, clock: ManualClock) -> CloudFrontUrls:
    return CloudFrontUrls(options(pem), clock)


def url_of(urls: CloudFrontUrls, key: str = KEY, *, ends: datetime = ENDS, download_as: str | None = None) -> str:
    return urls.url_of(key, content_type="image/webp", expires_at=ends, download_as=download_as)


def unescaped(text: str) -> bytes:
    return b64decode(text.replace("-", "+").replace("_", "=").replace("~", "/"), validate=True)


def check_as_cloudfront_does(url: str, public: RSAPublicKey) -> None:
    """Put the canned policy together from the URL that is asked for, and verify. Raises `InvalidSignature`."""
    bare, _, signed = url.rpartition("Expires=")
    query = parse_qs("Expires=" + signed)
    ends = f'{{"DateLessThan":{{"AWS:EpochTime":{query["Expires"][0]}}}}}'
    policy = f'{{"Statement":[{{"Resource":"{bare[:-1]}","Condition":{ends}}}]}}'
    public.verify(unescaped(query["Signature"][0]), policy.encode(), PKCS1v15(), SHA1())


def test_a_url_is_what_the_provider_itself_would_sign(urls: CloudFrontUrls, private_key: RSAPrivateKey) -> None:
    assert url_of(urls) == peer(private_key).generate_presigned_url(f"{BASE}/{KEY}", date_less_than=ENDS)


@given(key=KEY_TEXT, name=st.none() | KEY_TEXT, ends=st.integers(1, 2**33))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
def test_every_url_verifies_and_holds_no_character_that_must_not_be_in_one(
    urls: CloudFrontUrls, private_key: RSAPrivateKey, key: str, name: str | None, ends: int
) -> None:
    url = url_of(urls, key, ends=datetime.fromtimestamp(ends, UTC), download_as=name)
    assert not set(url) - set(map(chr, range(0x21, 0x7F))) - set('"<>\\^`{|}')
    check_as_cloudfront_does(url, private_key.public_key())


@pytest.mark.parametrize("change", [("small-f.webp", "original.jpg"), ("Expires=", "Expires=9")])
def test_the_signature_of_one_object_is_no_leave_for_another(
    urls: CloudFrontUrls, private_key: RSAPrivateKey, change: tuple[str, str]
) -> None:
    check_as_cloudfront_does(url_of(urls), private_key.public_key())
    with pytest.raises(InvalidSignature):
        check_as_cloudfront_does(url_of(urls).replace(*change), private_key.public_key())


def test_a_download_is_named_in_the_part_of_the_url_that_is_signed(
    urls: CloudFrontUrls, private_key: RSAPrivateKey
) -> None:
    url = url_of(urls, download_as='trám "1".jpg')
    asked = parse_qs(urlsplit(url).query)["response-content-disposition"]
    assert asked == ["attachment; filename=\"tr_m _1_.jpg\"; filename*=UTF-8''tr%C3%A1m%20%221%22.jpg"]
    unsigned = url[: url.index("&Expires=")]
    assert url == peer(private_key).generate_presigned_url(unsigned, date_less_than=ENDS)


def test_all_processes_change_to_the_next_key_at_the_same_moment(
    private_key: RSAPrivateKey, pem: str, clock: ManualClock
) -> None:
    next_key = generate_rsa_key(65537, 2048)
    moment = clock() + timedelta(minutes=10)
    rotating = evolve(options(pem), next_key=SigningKey("K2", pem=SecretStr(_pem(next_key))), next_key_from=moment)
    urls = CloudFrontUrls(rotating, clock)
    before = url_of(urls)
    clock.set(moment)
    after = url_of(urls)
    assert before.endswith("&Key-Pair-Id=K1")
    check_as_cloudfront_does(before, private_key.public_key())
    assert after.endswith("&Key-Pair-Id=K2")
    check_as_cloudfront_does(after, next_key.public_key())


def test_a_key_may_lie_in_a_file(pem: str, urls: CloudFrontUrls, clock: ManualClock, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text(pem)
    from_file = CloudFrontUrls(CloudFrontOptions(url=BASE, key=SigningKey("K1", file=file)), clock)
    assert url_of(from_file) == url_of(urls)


def _pem(key: RSAPrivateKey | EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


EC_KEY = _pem(generate_ec_key(SECP256R1()))


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (SigningKey("K1", pem=SecretStr("not a key")), "no PEM"),
        (SigningKey("K1", pem=SecretStr(EC_KEY)), "no RSA key"),
        (SigningKey("K1", file=Path("no/such/file.pem")), "cannot be read"),
    ],
)
def test_a_key_that_cannot_sign_is_refused_at_the_start(key: SigningKey, message: str, clock: ManualClock) -> None:
    with pytest.raises(ConfigurationError, match=message) as raised:
        CloudFrontUrls(CloudFrontOptions(url=BASE, key=key), clock)
    assert EC_KEY not in str(raised.value)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: CloudFrontOptions(url=BASE),
        lambda: CloudFrontOptions(key=SigningKey("K1")),
        lambda: CloudFrontOptions(key=SigningKey(pem=SecretStr("x"))),
        lambda: CloudFrontOptions(key=SigningKey("K1", pem=SecretStr("x"), file=Path("x"))),
        lambda: CloudFrontOptions(next_key=SigningKey("K2", pem=SecretStr("x"))),
        lambda: CloudFrontOptions(next_key_from=ENDS),
        lambda: CloudFrontOptions(
            next_key=SigningKey("K2", pem=SecretStr("x")), next_key_from=ENDS.replace(tzinfo=None)
        ),
    ],
)
def test_options_that_do_not_fit_together_are_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ConfigurationError, match=r"delivery\.cloudfront"):
        wrong()
