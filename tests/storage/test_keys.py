import posixpath
from uuid import uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imagegallery.errors import InvalidInput
from imagegallery.storage import keys
from imagegallery.testing.storage import BAD_KEYS, ODD_KEYS

HOSTILE = st.lists(
    st.sampled_from(["..", ".", "", "a", "/", "\\", "\0", "~", "…", "..\u2215", "%2e%2e", " ", "x" * 300]), max_size=6
).map("/".join)


@given(key=HOSTILE | st.text(max_size=50))
@example(key="a/../../b")
@example(key="/etc/passwd")
def test_an_accepted_key_names_one_place_below_the_root(key: str) -> None:
    if keys.is_key(key):
        path = posixpath.join("/root", key)
        assert posixpath.normpath(path) == path
        assert path.startswith("/root/")
        assert all(0 < len(segment.encode()) <= 255 for segment in key.split("/"))


@given(segments=st.lists(st.text("abcXYZ019 .-_~é写📷", min_size=1, max_size=50), min_size=1, max_size=5))
def test_ordinary_and_odd_segments_are_accepted(segments: list[str]) -> None:
    assert keys.is_key("/".join(segments)) == all(segment not in (".", "..") for segment in segments)


@pytest.mark.parametrize("key", BAD_KEYS)
def test_bad_keys_are_refused_without_being_repeated(key: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        keys.check_key(key)
    assert len(key) < 5 or key not in caught.value.message


@pytest.mark.parametrize("key", ODD_KEYS)
def test_odd_keys_are_accepted(key: str) -> None:
    keys.check_key(key)


def test_the_longest_key_and_segment() -> None:
    assert keys.is_key("é" * 127 + "x")
    assert not keys.is_key("é" * 128)
    assert keys.is_key("x/" * 511 + "xx")
    assert not keys.is_key("x/" * 512 + "x")


@pytest.mark.parametrize("content_type", keys.EXTENSIONS)
def test_our_own_keys_are_keys_and_tell_their_type(content_type: str) -> None:
    prefix = keys.image_prefix(uuid4())
    original = keys.original_key(prefix, content_type)
    assert keys.is_key(original)
    assert keys.is_key(keys.incoming_key(uuid4()))
    assert original.startswith(prefix)
    assert keys.content_type_of(original) == content_type


def test_images_lie_in_the_library() -> None:
    image_id = uuid4()
    prefix = keys.image_prefix(image_id)
    assert prefix == f"library/images/{image_id}/"
    assert keys.variant_key(prefix, "small", "nr3kq7wz2d5hx2m4", "webp") == f"{prefix}small-nr3kq7wz2d.webp"
    assert keys.content_type_of("incoming/anything") == "application/octet-stream"
