from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegallery.imaging.protocol import Inspection, Rendition
from imagegallery.imaging.sandbox import wire

RENDITION = Rendition("large", 1920, 1080, "avif", 70, 1, crop="attention", animated=True)


def sent(message: wire.Message) -> wire.Message:
    data = wire.frame(message)
    assert wire.body_length(data[: wire.PREFIX_SIZE]) == len(data) - wire.PREFIX_SIZE
    return wire.unframe(data[wire.PREFIX_SIZE :])


@pytest.mark.parametrize(
    "request_",
    [
        wire.Request("image/jpeg", decode=False),
        wire.Request("image/png", True, (RENDITION, RENDITION), blurhash=True, phash=True),
    ],
)
def test_a_request_arrives_as_it_was(request_: wire.Request) -> None:
    assert wire.read_request(sent(wire.request_message(request_))) == request_


@given(st.binary(max_size=1000))
def test_an_inspection_arrives_as_it_was(exif: bytes) -> None:
    inspection = Inspection("image/gif", 640, 480, 3, exif)
    assert wire.read_inspection(sent(wire.inspection_message(inspection)), content_type="image/gif") == inspection


@pytest.mark.parametrize("blurhash", [None, "LQDKASxvjFfm~qkWj[j?%Mj?oet6"])
def test_a_rendering_arrives_as_it_was(blurhash: str | None) -> None:
    answer = wire.RenderAnswer((wire.RenderReply(640, 480, 1), wire.RenderReply(64, 48, 7)), blurhash, 2**64 - 1)
    assert wire.read_rendered(sent(wire.render_message(answer)), count=2) == answer


@pytest.mark.parametrize("kind", sorted(wire.FAULT_KINDS))
def test_a_fault_arrives_as_it_was(kind: str) -> None:
    fault = wire.FaultAnswer(kind, "Why it is so.")
    assert wire.read_fault(sent(wire.fault_message(fault))) == fault


@pytest.mark.parametrize("walls", [frozenset(), frozenset(wire.Wall)])
def test_the_walls_that_stand_are_told(walls: frozenset[wire.Wall]) -> None:
    assert wire.read_ready(sent(wire.ready_message(walls))) == walls


@pytest.mark.parametrize("message", [{}, {"walls": "files"}, {"walls": ["moat"]}, {"walls": [3]}])
def test_walls_that_make_no_sense_are_not_believed(message: wire.Message) -> None:
    with pytest.raises(wire.ProtocolError):
        wire.read_ready(message)


def test_a_result_is_no_fault() -> None:
    assert wire.read_fault({"made": []}) is None


INSPECTION: wire.Message = {"width": 1, "height": 1, "frames": 1, "exif": ""}


@pytest.mark.parametrize(
    "change",
    [{"width": 0}, {"width": "1"}, {"height": True}, {"frames": 10**9}, {"exif": "é"}, {"exif": 3}, {"width": None}],
)
def test_an_inspection_that_makes_no_sense_is_not_believed(change: wire.Message) -> None:
    with pytest.raises(wire.ProtocolError):
        wire.read_inspection({**INSPECTION, **change}, content_type="image/png")


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"made": []},
        {"made": [3], "blurhash": None},
        {"made": [{"width": 1, "height": 1, "frames": 0}]},
        {"made": [{"width": 1, "height": 1, "frames": 1}], "blurhash": "<script>alert(1)</script>"},
        {"made": [{"width": 1, "height": 1, "frames": 1}], "blurhash": 3},
        {"made": [{"width": 1, "height": 1, "frames": 1}], "phash": 2**64},
        {"made": [{"width": 1, "height": 1, "frames": 1}], "phash": -1},
        {"made": [{"width": 1, "height": 1, "frames": 1}], "phash": True},
        {"made": [{"width": 1, "height": 1, "frames": 1}], "phash": "0"},
    ],
)
def test_a_rendering_that_makes_no_sense_is_not_believed(message: wire.Message) -> None:
    with pytest.raises(wire.ProtocolError):
        wire.read_rendered(message, count=1)


@pytest.mark.parametrize(
    "message",
    [{"fault": "root", "message": "x"}, {"fault": "truncated"}, {"fault": "truncated", "message": "a\nb" * 200}],
)
def test_a_fault_that_makes_no_sense_is_not_believed(message: wire.Message) -> None:
    with pytest.raises(wire.ProtocolError):
        wire.read_fault(message)


@given(st.binary())
@pytest.mark.parametrize("read", [wire.unframe])
def test_garbage_is_a_protocol_error_or_an_object(read: Callable[[bytes], wire.Message], body: bytes) -> None:
    try:
        message = read(body)
    except wire.ProtocolError:
        return
    assert isinstance(message, dict)


def test_a_frame_without_end_is_refused() -> None:
    with pytest.raises(wire.ProtocolError):
        wire.body_length(b"\xff\xff\xff\xff")


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(wire.ProtocolError):
        wire.unframe(b"[" * 100_000)
