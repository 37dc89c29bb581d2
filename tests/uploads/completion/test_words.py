"""What a file says in words is there when its upload is, whatever becomes of the file, and the way it came."""

import pytest
from tests.imaging.test_words import FILES, WORDS
from tests.support.uploads import Uploading
from tests.uploads.completion.test_kept_copies import saying

from imagegallery.images.image.image import Image
from imagegallery.policies.admin_policy import Originals

PHOTO = FILES["jpg"]()


def check(image: Image) -> None:
    assert image.tags == WORDS.tags
    assert (image.title, image.description, image.rating) == (WORDS.title, WORDS.description, WORDS.rating)
    assert (image.people, image.own_words) == (WORDS.people, frozenset())


@pytest.mark.parametrize("originals", [Originals.KEEP, Originals.STRIP_ALL])
async def test_an_upload_brings_its_words(uploading: Uploading, originals: Originals) -> None:
    said = saying(uploading, originals)
    check(await said.service.add(said.me, PHOTO))


async def test_a_staged_file_keeps_its_words_until_it_is_attached(uploading: Uploading) -> None:
    staged = await uploading.service.stage(uploading.me, PHOTO)
    async with uploading.library.database.transaction() as connection:
        image_id = (await staged.attach(connection)).id
    check(await uploading.library.images.get(uploading.me, image_id))
