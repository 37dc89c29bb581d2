import pytest

from imagegallery.errors import BadImage, ImageGalleryError, TooLarge
from imagegallery.uploads.session.rejection import REJECTIONS, Rejection


@pytest.mark.parametrize("kind", [kind for kind in REJECTIONS if kind is not BadImage])
def test_a_rejection_raises_the_same_error_again(kind: type[ImageGalleryError]) -> None:
    error = kind("Why.", limit=3)
    again = Rejection.of(error).error()
    assert (type(again), again.code, again.message, again.details) == (kind, kind.code, "Why.", {"limit": 3})


def test_a_bad_image_keeps_its_reason() -> None:
    again = Rejection.of(BadImage("too_many_pixels", "Why.", limit=3)).error()
    assert isinstance(again, BadImage)
    assert again.failure.code == "too_many_pixels"
    assert again.details == {"reason": "too_many_pixels", "limit": 3}


def test_a_rejection_is_a_value() -> None:
    assert Rejection.of(TooLarge("Why.")) == Rejection("too_large", "Why.", {})
