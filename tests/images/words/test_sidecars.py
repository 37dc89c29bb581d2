"""Sidecars of other programs: read behind the walls of the decoder, said as if by the image's owner."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.imaging.test_words import WORDS, XMP
from tests.support.clock import ManualClock
from tests.support.library import make_image
from tests.support.uploads import Uploading

from imagegallery.database.pool import Database
from imagegallery.errors import InvalidInput, NotFound, TooLarge, Unauthenticated
from imagegallery.images.service import ImageService
from imagegallery.images.words.sidecars import MAX_SIDECAR, Sidecars
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.principal import Principal

ANA, BEN, VISITOR = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()
BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + XMP


@pytest.fixture
async def uploading(
    database: Database, clock: ManualClock, tmp_path: Path, imaging_engine: ImagingEngine
) -> AsyncIterator[Uploading]:
    async with Uploading.on(database, tmp_path, clock, imaging_engine) as uploading:
        yield uploading


@pytest.fixture
def images(uploading: Uploading, imaging_engine: ImagingEngine) -> ImageService:
    library = uploading.library
    sidecars = Sidecars(imaging_engine, uploading.scratch)
    return ImageService(library.database, library.queue, library.delivery, library.clock, sidecars=sidecars)


async def test_what_it_says_is_said_and_the_rest_stays(uploading: Uploading, images: ImageService) -> None:
    image = await uploading.library.add_image(make_image())
    await images.update(ANA, image.id, tags=["mine"], rating=1, title="Mine", alt_text="A tram")
    partly = XMP.replace(b'xmp:Rating="4"', b"").replace(b"Line 28", b" ")
    shown = await images.read_sidecar(ANA, image.id, partly)
    assert (shown.tags, shown.title, shown.rating, shown.alt_text) == (WORDS.tags, "Mine", 1, "A tram")
    assert (shown.description, shown.people) == (WORDS.description, WORDS.people)
    assert shown.own_words == {"tags", "title", "description", "rating"}


@pytest.mark.parametrize(
    "sidecar",
    [
        b"",
        b"\xff\xd8\xff",
        b"<x",
        BOMB,
        b"<a>" * 100_000,
        XMP[:80],
        b"\0" * 1_000,
    ],
)
async def test_what_says_nothing_is_one_error_and_changes_nothing(
    uploading: Uploading, images: ImageService, sidecar: bytes
) -> None:
    image = await uploading.library.add_image(make_image())
    with pytest.raises(InvalidInput):
        await images.read_sidecar(ANA, image.id, sidecar)
    assert await images.get(ANA, image.id) == await uploading.library.images.get(ANA, image.id)


async def test_it_is_for_the_owner_and_has_a_size(uploading: Uploading, images: ImageService) -> None:
    image = await uploading.library.add_image(make_image())
    for who, error in ((BEN, NotFound), (VISITOR, Unauthenticated)):
        with pytest.raises(error):
            await images.read_sidecar(who, image.id, XMP)
    with pytest.raises(TooLarge):
        await images.read_sidecar(ANA, image.id, bytes(MAX_SIDECAR + 1))
