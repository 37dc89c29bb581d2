"""An upload service of its own for each test, and files to send to it."""

import io
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from PIL import Image as Pillow
from tests.support.clock import ManualClock
from tests.support.uploads import Uploading

from imagegallery.database.pool import Database
from imagegallery.imaging.protocol import ImagingEngine


@pytest.fixture
async def uploading(
    database: Database, clock: ManualClock, tmp_path: Path, imaging_engine: ImagingEngine
) -> AsyncIterator[Uploading]:
    """The service over a fresh database and an empty store."""
    async with Uploading.on(database, tmp_path, clock, imaging_engine) as uploading:
        yield uploading


def _encode(image_format: str, size: tuple[int, int] = (40, 30), **options: object) -> bytes:
    file = io.BytesIO()
    Pillow.effect_noise(size, 64).convert("RGB").save(file, image_format, **options)
    return file.getvalue()


@pytest.fixture
def encode() -> Callable[..., bytes]:
    """A noisy picture of 40 x 30 pixels in the format of this name."""
    return _encode


@pytest.fixture
def jpeg() -> bytes:
    """Taken in Lisbon on 2024-05-06 at 07:08:09, two hours east of UTC, by a camera called Trambahn."""
    exif = Pillow.Exif()
    exif[0x010F] = "Trambahn"
    exif.get_ifd(0x8769).update({0x9003: "2024:05:06 07:08:09", 0x9011: "+02:00"})
    exif.get_ifd(0x8825).update({1: "N", 2: (38.0, 42.0, 36.0), 3: "W", 4: (9.0, 8.0, 24.0)})
    return _encode("JPEG", exif=exif)


@pytest.fixture
def png_bomb() -> bytes:
    """50,000 x 50,000 pixels in some hundred bytes."""
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(150_001))
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big") for kind, body in chunks
    )


@pytest.fixture
def gif_of_10_000_frames() -> bytes:
    """Each frame is one pixel."""
    screen = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(3) + b"\xff" * 3
    frame = b"\x21\xf9\x04\0\x0a\0\0\0" + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return screen + frame * 10_000 + b"\x3b"


@pytest.fixture
def slowly() -> Callable[[bytes, int], AsyncIterator[bytes]]:
    """The bytes in chunks of this size, as a network would bring them."""

    async def chunks(data: bytes, size: int) -> AsyncIterator[bytes]:
        for start in range(0, len(data), size):
            yield data[start : start + size]

    return chunks
