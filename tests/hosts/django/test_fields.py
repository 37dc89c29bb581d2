"""Rows with a picture, on a real database, gallery and decoder."""

import io
import pickle
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from asgiref.sync import async_to_sync
from tests.support.studio import picture as jpeg

from imagegallery import BadImage, Image, NotFound, Principal
from imagegallery.errors import AlreadyUsed, WrongDimensions

SITE = Principal.user("site")


@pytest.fixture
def models(site: Path) -> Any:
    from tests.hosts.django.shop import models

    return models


@pytest.fixture
def gallery(site: Path) -> Any:
    from imagegallery.hosts.django import gallery

    return gallery


def is_there(gallery: Any, owner: Principal, image_id: UUID) -> bool:
    try:
        gallery.images.get(owner, image_id)
    except NotFound:
        return False
    return True


def upload(name: str = "tram.jpg", content: bytes | None = None) -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile(name, content or jpeg(64, 48), "image/jpeg")


def test_a_file_that_is_assigned_is_the_picture_once_the_row_is_saved(models: Any, gallery: Any) -> None:
    item = models.Item(name="Tram", drawing=upload())
    assert item.drawing.name == "tram.jpg"
    item.save()
    assert gallery.images.get(SITE, item.drawing.id).filename == "tram.jpg"
    read = models.Item.objects.get(pk=item.pk)
    assert read.drawing == item.drawing
    assert read.drawing.image.width == 64
    assert read.photo is None


@pytest.mark.parametrize("kind", ["path", "bytes", "file"])
def test_it_may_be_given_in_each_way_that_the_gallery_takes(kind: str, models: Any, tmp_path: Path) -> None:
    path = tmp_path / "tram.jpg"
    path.write_bytes(jpeg(64, 48))
    given = {"path": path, "bytes": path.read_bytes(), "file": io.BytesIO(path.read_bytes())}[kind]
    item = models.Item.objects.create(name="Tram", drawing=given)
    assert item.drawing.image.width == 64


def test_it_is_of_whom_the_row_says(models: Any, gallery: Any) -> None:
    from django.contrib.auth.models import User

    seller = User.objects.create(username=f"seller-{uuid4()}")
    item = models.Item.objects.create(name="Tram", seller=seller, photo=upload())
    assert gallery.images.get(Principal.user(seller.pk), item.photo.id).owner_id == str(seller.pk)
    with pytest.raises(ValueError, match=r"A picture of Item belongs to its 'seller_id': set it before"):
        models.Item.objects.create(name="Tram", photo=upload())


def test_an_image_its_id_and_a_picture_may_be_assigned(models: Any, gallery: Any) -> None:
    for kind in ("image", "id", "text"):
        image: Image = gallery.uploads.add(SITE, jpeg(64, 48))
        given = {"image": image, "id": image.id, "text": str(image.id)}[kind]
        item = models.Item.objects.create(name="Tram", drawing=given)
        assert models.Item.objects.get(drawing=given, pk=item.pk).drawing.id == image.id
        assert image.id not in {each.id for each in gallery.images.unattached(SITE).items}
        item.drawing = item.drawing
        item.save()  # no other picture
    assert models.Item.objects.filter(drawing__isnull=True, pk=item.pk).count() == 0


def test_an_image_is_its_owners_and_of_one_row(models: Any, gallery: Any) -> None:
    item = models.Item.objects.create(name="Tram", drawing=upload())
    strangers = gallery.uploads.add(Principal.user("ben"), jpeg(64, 48))
    for taken in (item.drawing, item.drawing.id):
        with pytest.raises(AlreadyUsed):
            models.Item.objects.create(name="Tram", drawing=taken)
    with pytest.raises(NotFound):
        models.Item.objects.create(name="Tram", drawing=strangers)


def test_what_is_no_id_is_refused(models: Any) -> None:
    from django.core.exceptions import ValidationError

    with pytest.raises(ValidationError, match="tram is no id"):
        models.Item(drawing="tram")


def test_a_row_that_goes_takes_its_picture_along(models: Any, gallery: Any) -> None:
    item = models.Bargain.objects.create(name="Tram", drawing=upload())
    drawing = item.drawing.id
    item.delete()
    assert not is_there(gallery, SITE, drawing)
    assert gallery.images.trash.restore(SITE, drawing).id == drawing


def test_rows_that_go_with_another_and_in_a_query_do_so_too(models: Any, gallery: Any) -> None:
    from django.contrib.auth.models import User

    seller = User.objects.create(username=f"seller-{uuid4()}")
    items = [models.Item.objects.create(name="Tram", seller=seller, drawing=upload()) for _ in range(2)]
    models.Item.objects.only("name").filter(pk=items[0].pk).delete()
    seller.delete()
    assert not any(is_there(gallery, SITE, item.drawing.id) for item in items)


def test_a_row_that_stays_after_all_keeps_it(models: Any, gallery: Any) -> None:
    from django.db import transaction

    item = models.Item.objects.create(name="Tram", drawing=upload())
    drawing = item.drawing.id

    def changing(change: Any) -> None:
        with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012 - what fails comes after the change
            change()
            raise ZeroDivisionError

    def replace() -> None:
        item.drawing = upload(content=jpeg(48, 64))
        item.save()

    changing(replace)
    changing(models.Item.objects.get(pk=item.pk).delete)
    assert is_there(gallery, SITE, drawing)
    assert models.Item.objects.get(pk=item.pk).drawing.id == drawing


def test_a_picture_that_is_replaced_goes_to_the_trash(models: Any, gallery: Any) -> None:
    item = models.Item.objects.create(name="Tram", drawing=upload())
    first = item.drawing.id
    read = models.Item.objects.get(pk=item.pk)
    read.name = "The tram"
    read.save()
    read.refresh_from_db()
    read.save()
    read.drawing = upload(content=jpeg(48, 64))
    read.save(update_fields=["name"])
    assert is_there(gallery, SITE, first), "it is still the row's"
    read.save()
    assert not is_there(gallery, SITE, first)
    second = read.drawing.id
    assert is_there(gallery, SITE, second)
    read.drawing = None
    read.save()
    assert not is_there(gallery, SITE, second)
    assert models.Item.objects.get(pk=item.pk).drawing is None


def test_what_is_no_picture_leaves_no_row(models: Any) -> None:
    before = models.Item.objects.count()
    with pytest.raises(BadImage):
        models.Item.objects.create(name="Tram", drawing=upload(content=b"\xff\xd8\xff but no picture"))
    assert models.Item.objects.count() == before


def test_a_picture_and_its_row_are_there_together_or_not_at_all(models: Any, gallery: Any) -> None:
    """Nothing is left of an image whose row was not saved, but a staged file that is swept."""
    from django.db import IntegrityError, transaction

    other = models.Item.objects.create(name="Tram")
    before = {each.id for each in gallery.images.library.list(SITE).items}
    with pytest.raises(IntegrityError), transaction.atomic():
        models.Item.objects.create(pk=other.pk, name="Tram", drawing=upload(content=jpeg(80, 80)))
    assert {each.id for each in gallery.images.library.list(SITE).items} == before


@pytest.mark.parametrize("is_new", [True, False])
def test_a_row_whose_transaction_was_rolled_back_can_be_saved_again(is_new: bool, models: Any, gallery: Any) -> None:
    from django.db import transaction

    item = models.Item(name="Tram")
    if not is_new:
        item.drawing = upload()
        item.save()
    item.drawing = upload(content=jpeg(90, 60))
    with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012 - what fails comes after the change
        item.save()
        raise ZeroDivisionError
    with transaction.atomic():
        item.save()
        item.save()
    read = models.Item.objects.get(pk=item.pk)
    assert read.drawing == item.drawing
    assert read.drawing.image.width == 90
    assert gallery.galleries.get(SITE, read.photos.id).id == item.photos.id


def test_a_row_with_a_picture_can_be_kept_in_a_cache(models: Any) -> None:
    item = models.Item.objects.create(name="Tram", drawing=upload())
    assert item.drawing.image is not None
    kept = pickle.loads(pickle.dumps(item))
    assert kept.drawing == item.drawing
    assert kept.drawing.owner == SITE


def test_rows_that_are_made_in_bulk_or_by_an_event_loop_have_theirs(models: Any) -> None:
    made = models.Item.objects.bulk_create([models.Item(name="Tram", drawing=upload()) for _ in range(2)])
    item = models.Item(name="Tram", drawing=upload())
    async_to_sync(item.asave)()
    for each in (*made, item):
        assert models.Item.objects.get(pk=each.pk).drawing.image.width == 64


def room(gallery: Any) -> int:
    """The bytes that the application stores, and keeps for what is staged."""
    use = gallery.uploads.room(SITE)
    return int(use.used + use.awaited)


def test_a_file_is_checked_with_the_row_and_uploaded_once(models: Any, gallery: Any) -> None:
    from django.core.exceptions import ValidationError

    wrong = models.Item(name="Tram", drawing=upload(content=b"no picture"))
    with pytest.raises(ValidationError) as refused:
        wrong.full_clean(exclude=["seller"])
    assert refused.value.message_dict == {
        "drawing": ["The file was declared image/jpeg and is no image of a known type."]
    }
    right = models.Item(name="Tram", drawing=upload(content=jpeg(80, 60)))
    before = room(gallery)
    right.drawing.read()  # as a validator may
    right.full_clean(exclude=["seller"])
    staged = room(gallery)
    right.save()
    assert before < staged == room(gallery)
    assert right.drawing.image.width == 80


def test_a_picture_that_everybody_may_see_has_an_address_that_lasts(models: Any, gallery: Any) -> None:
    item = models.Item.objects.create(name="Tram", poster=upload())
    assert gallery.images.get(Principal.anonymous(), item.poster.id).urls_expire_at is None


def test_a_file_is_held_to_the_policy_of_its_field(models: Any, gallery: Any) -> None:
    from django.core.exceptions import ValidationError

    item = models.Item(name="Tram", poster=upload(content=jpeg(30, 20)))
    with pytest.raises(ValidationError, match="it must be at least 40 wide"):
        item.full_clean(exclude=["seller"])
    with pytest.raises(WrongDimensions):
        item.save()
    item.poster = upload()
    item.save()
    assert item.poster.image.policy == "poster"


def test_a_gallery_is_made_with_its_row_and_goes_with_it(models: Any, gallery: Any) -> None:
    item = models.Item.objects.create(name="Tram")
    shown = gallery.galleries.get(SITE, item.photos.id)
    assert (shown.name, shown.visibility) == ("item photos", "private")
    assert list(item.photos) == []
    added = [item.photos.add(jpeg(width, 40)).id for width in (40, 50)]
    read = models.Item.objects.get(pk=item.pk)
    assert {each.id for each in read.photos} == set(added)
    assert len(read.photos.page(limit=1).items) == 1
    read.save()
    assert models.Item.objects.get(pk=item.pk).photos == item.photos
    read.delete()
    with pytest.raises(NotFound):
        gallery.galleries.get(SITE, shown.id)
    assert not any(is_there(gallery, SITE, each) for each in added)


def test_migrations_of_models_say_what_the_column_is(models: Any) -> None:
    from django.db.migrations.writer import MigrationWriter

    name, path, args, options = models.Item._meta.get_field("photo").deconstruct()
    assert (name, args, options) == ("photo", [], {"owner": "seller", "null": True, "blank": True})
    module, _, kind = path.rpartition(".")
    field = getattr(__import__(module, fromlist=[kind]), kind)(*args, **options)
    assert field.deconstruct()[1:] == (path, args, options)
    own = models.Item._meta.get_field("poster").deconstruct()[3]
    assert own == {"policy": "poster", "visibility": "public", "null": True, "blank": True}
    assert models.Item._meta.get_field("photos").deconstruct()[3] == {"null": True, "editable": False}
    written, imports = MigrationWriter.serialize(field)
    assert written == f"{path}(blank=True, null=True, owner='seller')"
    assert imports == {f"import {module}"}


def test_fixtures_hold_the_id(models: Any) -> None:
    from django.core import serializers

    item = models.Item.objects.create(name="Tram", drawing=upload())
    written = serializers.serialize("json", [item])
    assert f'"drawing": "{item.drawing.id}"' in written
    (read,) = serializers.deserialize("json", written)
    read.save()
    assert models.Item.objects.get(pk=item.pk).drawing == item.drawing
