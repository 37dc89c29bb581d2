from datetime import timedelta

import pytest

from imagegallery.errors import (
    ConfigurationError,
    EmptyFile,
    ImageGalleryError,
    InvalidInput,
    QuotaExceeded,
    TooLarge,
    TooManyUploads,
    UnsupportedType,
)
from imagegallery.uploads.session.policy import Declaration, UploadPolicy, canonical_type

POLICY = UploadPolicy(max_size=1000)
DIGEST = bytes(32)


@pytest.mark.parametrize(
    ("declared", "canonical"),
    [
        ("image/jpeg", "image/jpeg"),
        (" IMAGE/JPEG ; charset=binary", "image/jpeg"),
        ("image/jpg", "image/jpeg"),
        ("image/pjpeg", "image/jpeg"),
        ("image/x-png", "image/png"),
        ("image/heic-sequence", "image/heic"),
        ("text/plain", "text/plain"),
        ("", ""),
    ],
)
def test_a_type_has_one_name(declared: str, canonical: str) -> None:
    assert canonical_type(declared) == canonical


@pytest.mark.parametrize("declared", ["image/jpeg", "image/png", "image/webp", "image/gif", "image/avif", "image/heic"])
def test_the_usual_types_are_taken(declared: str) -> None:
    assert POLICY.check(Declaration(declared, 1000, DIGEST)) == Declaration(declared, 1000, DIGEST)


def test_a_size_that_is_not_known_yet_is_taken() -> None:
    assert POLICY.check(Declaration("image/jpg", None)) == Declaration("image/jpeg", None)


@pytest.mark.parametrize(
    ("declaration", "error"),
    [
        (Declaration("image/svg+xml", 10), UnsupportedType),
        (Declaration("image/tiff", 10), UnsupportedType),
        (Declaration("", 10), UnsupportedType),
        (Declaration("image/png", 0), EmptyFile),
        (Declaration("image/png", 1001), TooLarge),
        (Declaration("image/png", -1), InvalidInput),
        (Declaration("image/png", 10, b"short"), InvalidInput),
    ],
)
def test_what_breaks_the_policy_is_refused_by_name(declaration: Declaration, error: type[ImageGalleryError]) -> None:
    with pytest.raises(error):
        POLICY.check(declaration)


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        POLICY.check(Declaration("image/png", -1, b""))
    assert [fault.path for fault in caught.value.faults] == [("body", "size"), ("body", "sha256")]


def test_a_limit_is_named() -> None:
    with pytest.raises(TooLarge) as caught:
        POLICY.check_size(1001)
    assert caught.value.details == {"limit": 1000}


@pytest.mark.parametrize(("default", "own"), [(100, None), (None, 100), (1, 100), (1000, 100)])
def test_an_owners_own_storage_limit_goes_before_the_default(default: int | None, own: int | None) -> None:
    policy = UploadPolicy(storage_limit=default)
    policy.check_storage(100, own)
    with pytest.raises(QuotaExceeded, match="100 bytes") as caught:
        policy.check_storage(101, own)
    assert caught.value.details["limit"] == 100


def test_without_a_limit_everything_fits() -> None:
    UploadPolicy().check_storage(10**15, None)


def test_a_policy_cannot_allow_what_cannot_be_stored() -> None:
    with pytest.raises(ConfigurationError, match="image/svg"):
        UploadPolicy(allowed_types=("image/png", "image/svg+xml"))


def test_a_policy_needs_sensible_limits() -> None:
    with pytest.raises(ValueError, match="max_size"):
        UploadPolicy(max_size=0)
    with pytest.raises(ValueError, match="session_lifetime"):
        UploadPolicy(session_lifetime=timedelta(0))


def test_so_many_uploads_may_be_open_and_not_one_more() -> None:
    policy = UploadPolicy(max_open=3)
    policy.check_open(3)
    with pytest.raises(TooManyUploads, match="Only 3 uploads") as caught:
        policy.check_open(4)
    assert caught.value.details["limit"] == 3
