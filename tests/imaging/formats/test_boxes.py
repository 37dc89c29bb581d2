"""What files say of their pictures beside the pixels: boxes of AVIF and HEIF, frames of GIF, gamma of PNG."""

import io

from tests.support import images

from imagegallery.imaging.decoder.colour import from_gamma
from imagegallery.imaging.formats import gif
from imagegallery.imaging.formats.boxes import CodePoints, PrimaryPicture, read_primary


def test_frames_of_a_gif_are_found_behind_all_that_may_come_between() -> None:
    data = images.gif_of_frames((1, 2, 3, 4, 2), (5, 6, 7, 8, 1))
    comment = b"\x21\xfe\x05hello\0"
    data = data[:19] + comment + data[19:-1] + comment + b"\x3b"
    assert gif.read_frames(io.BytesIO(data), 9) == [gif.Frame(1, 2, 3, 4, 2), gif.Frame(5, 6, 7, 8, 1)]
    for size in range(len(data)):
        assert len(gif.read_frames(io.BytesIO(data[:size]), 9)) <= 2


def test_boxes_tell_of_the_primary_picture_and_damage_tells_nothing() -> None:
    data = images.coded_avif((200,), primaries=12, transfer=16, range="limited", subsampling="4:0:0")
    assert read_primary(io.BytesIO(data)) == PrimaryPicture(CodePoints(12, 16, is_full_range=False), is_grey=True)
    for size in range(len(data)):
        assert read_primary(io.BytesIO(data[:size])).frames == 1
    for at in range(len(data)):
        read_primary(io.BytesIO(data[:at] + b"\xff" + data[at + 1 :]))


def test_absurd_gammas_and_primaries_are_none() -> None:
    assert from_gamma(1, ()) is None
    assert from_gamma(2**32 - 1, ()) is None
    assert from_gamma(0, (0,) * 8) is None
    assert from_gamma(0, (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)) is None
