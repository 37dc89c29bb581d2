"""What a pHash survives, and what it tells apart: photographs of scikit-image, through the real decoder."""

import io
from itertools import combinations
from pathlib import Path

import pytest
import skimage.data
from PIL import Image as Pillow

from imagegallery.analyses.perceptual_hash import PHASH
from imagegallery.images.duplicates.hamming import NEAR, distance
from imagegallery.imaging.phash import SIDE, phash
from imagegallery.imaging.protocol import Rendition
from imagegallery.imaging.sandbox.engine import SandboxedEngine

pytestmark = pytest.mark.asyncio(loop_scope="module")
PHOTOGRAPHS = ("astronaut", "cat", "coffee", "rocket", "camera", "hubble_deep_field", "retina", "clock", "coins")


def photograph(name: str) -> Pillow.Image:
    return Pillow.fromarray(getattr(skimage.data, name)()).convert("RGB")


def jpeg(picture: Pillow.Image, *, quality: int = 90, exif: Pillow.Exif | None = None) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality, exif=exif or Pillow.Exif())
    return buffer.getvalue()


async def hash_of(engine: SandboxedEngine, data: bytes, directory: Path, *renditions: Rendition) -> int:
    path = directory / "picture.jpg"
    path.write_bytes(data)
    answer = await engine.render(
        path, renditions, directory, content_type="image/jpeg", measurements=PHASH.measurements
    )
    return int(str(answer.measured["phash"]), 16)


@pytest.mark.parametrize("name", PHOTOGRAPHS)
async def test_copies_of_a_photograph_are_near(engine: SandboxedEngine, tmp_path: Path, name: str) -> None:
    picture = photograph(name)
    sideways = Pillow.Exif()
    sideways[0x0112] = 6
    small = picture.resize((picture.width // 3, picture.height // 3))
    copies = {
        "recompressed": jpeg(picture, quality=30),
        "smaller": jpeg(small, quality=70),
        "turned left": jpeg(picture.transpose(Pillow.Transpose.ROTATE_90)),
        "upside down": jpeg(picture.transpose(Pillow.Transpose.ROTATE_180)),
        "turned right and smaller": jpeg(small.transpose(Pillow.Transpose.ROTATE_270), quality=60),
        "turned by its container": jpeg(picture.transpose(Pillow.Transpose.ROTATE_90), exif=sideways),
        "grey": jpeg(picture.convert("L")),
    }
    original = await hash_of(engine, jpeg(picture), tmp_path)

    distances = {kind: distance(original, await hash_of(engine, data, tmp_path)) for kind, data in copies.items()}

    assert {kind: bits for kind, bits in distances.items() if bits > NEAR} == {}


async def test_different_photographs_are_far_apart(engine: SandboxedEngine, tmp_path: Path) -> None:
    hashes = {name: await hash_of(engine, jpeg(photograph(name)), tmp_path) for name in PHOTOGRAPHS}

    near = [(one, other) for one, other in combinations(PHOTOGRAPHS, 2) if distance(hashes[one], hashes[other]) <= NEAR]

    assert near == []


async def test_what_else_is_made_of_a_picture_hardly_matters(engine: SandboxedEngine, tmp_path: Path) -> None:
    data = jpeg(photograph("coffee"))
    large = Rendition("large", 500, 500, "webp", 80, 1)

    alone, beside = await hash_of(engine, data, tmp_path), await hash_of(engine, data, tmp_path, large)

    assert distance(alone, beside) <= 2


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 2), (32, 32), (31, 33)])
async def test_any_size_has_a_hash(engine: SandboxedEngine, tmp_path: Path, size: tuple[int, int]) -> None:
    assert 0 <= await hash_of(engine, jpeg(photograph("cat").resize(size)), tmp_path) < 2**64


@pytest.mark.parametrize("picture", [Pillow.new("L", (SIDE, SIDE), 200), Pillow.linear_gradient("L")])
async def test_what_has_no_detail_has_no_hash_to_tell_it_by(picture: Pillow.Image) -> None:
    assert phash(picture.resize((SIDE, SIDE)).tobytes()) == 0
