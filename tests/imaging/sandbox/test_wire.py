from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegallery.imaging import blurhash, phash
from imagegallery.imaging.protocol import Inspection, Rendition
from imagegallery.imaging.sandbox import wire

MEASURED = wire.MeasureRequest("phash", "imagegallery.imaging.phash:measure", phash.PIXELS)
ACCEPTS = {"phash": phash.is_hash}
RENDITION = Rendition("large", 1920, 1080, "avif", 70, 1, crop="attention", animated=True)


def sent(message: wire.WireMessage) -> wire.WireMessage:
    data = wire.frame(message)
    assert wire.body_length(data[: wire.PREFIX_SIZE]) == len(data) - wire.PREFIX_SIZE
    return wire.unframe(data[wire.PREFIX_SIZE :])


@pytest.mark.parametrize(
    "request_",
    [
        wire.Request("image/jpeg", decode=False),
        wire.Request("image/png", True, (RENDITION, RENDITION), (MEASURED,)),
    ],
)
def test_a_request_arrives_as_it_was(request_: wire.Request) -> None:
    assert wire.read_request(sent(wire.request_message(request_))) == request_


@given(st.binary(max_size=1000))
def test_an_inspection_arrives_as_it_was(exif: bytes) -> None:
    inspection = Inspection("image/gif", 640, 480, 3, exif)
    assert wire.read_inspection(sent(wire.inspection_message(inspection)), content_type="image/gif") == inspection


@pytest.mark.parametrize("measured", [{}, {"phash": "00000000000000ff"}])
def test_a_rendering_arrives_as_it_was(measured: dict[str, object]) -> None:
    answer = wire.RenderAnswer((wire.RenderReply(640, 480, 1), wire.RenderReply(64, 48, 7)), measured)
    accepts = ACCEPTS if measured else {}
    assert wire.read_rendered(sent(wire.render_message(answer)), count=2, accepts=accepts) == answer


@pytest.mark.parametrize("kind", sorted(wire.FAULT_KINDS))
def test_a_fault_arrives_as_it_was(kind: str) -> None:
    fault = wire.FaultAnswer(kind, "Why it is so.")
    assert wire.read_fault(sent(wire.fault_message(fault))) == fault


@pytest.mark.parametrize("walls", [frozenset(), frozenset(wire.Wall)])
def test_the_walls_that_stand_are_told(walls: frozenset[wire.Wall]) -> None:
    assert wire.read_ready(sent(wire.ready_message(walls))) == walls


@pytest.mark.parametrize("message", [{}, {"walls": "files"}, {"walls": ["moat"]}, {"walls": [3]}])
def test_walls_that_make_no_sense_are_not_believed(message: wire.WireMessage) -> None:
    with pytest.raises(wire.ProtocolError):
        wire.read_ready(message)


def test_a_result_is_no_fault() -> None:
    assert wire.read_fault({"made": []}) is None


RENDERED: wire.WireMessage = {
    "made": [{"width": 1, "height": 1, "frames": 1}],
    "measured": {"phash": "0" * 16},
    "is_truncated": False,
}
INSPECTION: wire.WireMessage = {"width": 1, "height": 1, "frames": 1, "exif": ""}


@pytest.mark.parametrize(
    "change",
    [{"width": 0}, {"width": "1"}, {"height": True}, {"frames": 10**9}, {"exif": "é"}, {"exif": 3}, {"width": None}],
)
def test_an_inspection_that_makes_no_sense_is_not_believed(change: wire.WireMessage) -> None:
    with pytest.raises(wire.ProtocolError):
        wire.read_inspection({**INSPECTION, **change}, content_type="image/png")


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"made": []},
        {**RENDERED, "made": [3]},
        {**RENDERED, "made": [{"width": 1, "height": 1, "frames": 0}]},
        {**RENDERED, "is_truncated": "no"},
        {**RENDERED, "measured": None},
        {**RENDERED, "measured": {}},
        {**RENDERED, "measured": {"phash": "0" * 16, "blurhash": "LQDKASxvjFfm~qkWj[j?%Mj?oet6"}},
    ],
)
def test_a_rendering_that_makes_no_sense_is_not_believed(message: wire.WireMessage) -> None:
    with pytest.raises(wire.ProtocolError):
        wire.read_rendered(message, count=1, accepts=ACCEPTS)


def test_the_rendering_that_those_are_changed_from_is_believed() -> None:
    assert wire.read_rendered(RENDERED, count=1, accepts=ACCEPTS).measured == {"phash": "0" * 16}


@pytest.mark.parametrize("data", ["<script>alert(1)</script>", 3, None, "", "L" * 300])
def test_what_is_no_blurhash_is_not_believed(data: object) -> None:
    assert not blurhash.is_hash(data)
    assert blurhash.is_hash("LQDKASxvjFfm~qkWj[j?%Mj?oet6")


@pytest.mark.parametrize("data", [2**64, -1, True, "0", "0" * 17, "X" * 16, None])
def test_what_is_no_phash_is_not_believed(data: object) -> None:
    assert not phash.is_hash(data)
    assert phash.is_hash("0123456789abcdef")


@pytest.mark.parametrize(
    "message",
    [{"fault": "root", "message": "x"}, {"fault": "truncated"}, {"fault": "truncated", "message": "a\nb" * 200}],
)
def test_a_fault_that_makes_no_sense_is_not_believed(message: wire.WireMessage) -> None:
    with pytest.raises(wire.ProtocolError):
        wire.read_fault(message)


@given(st.binary())
@pytest.mark.parametrize("read", [wire.unframe])
def test_garbage_is_a_protocol_error_or_an_object(read: Callable[[bytes], wire.WireMessage], body: bytes) -> None:
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
