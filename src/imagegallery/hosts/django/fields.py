"""Model fields: a picture and a gallery of a row."""

from contextlib import suppress
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, TypeGuard
from uuid import UUID

from django.core.checks import CheckMessage, Error
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.db import models, transaction
from django.db.models.query_utils import DeferredAttribute
from django.db.models.signals import class_prepared, post_save, pre_delete, pre_save

from imagegallery.database.host.choice import HostConnection
from imagegallery.errors import NotFound
from imagegallery.hosts.django.conf import gallery, shared_connection
from imagegallery.hosts.django.forms import PictureFormField
from imagegallery.hosts.django.value import Picture
from imagegallery.hosts.owner import Owner, owner_of
from imagegallery.images.image.image import Image
from imagegallery.principal import Principal
from imagegallery.storage.streams import Readable

if TYPE_CHECKING:
    NewPicture = File[bytes] | Path | bytes | Readable
    """A file that becomes the picture of a row when that is saved."""
    _Base = models.Field[NewPicture | Picture | Image | UUID | str | None, Picture | None]
else:
    _Base = models.Field


class _PictureAttribute(DeferredAttribute):
    """Gives a row's `Picture`, or the file that is to be one; takes these, an `Image` and an id."""

    field: "PictureField"

    def __get__(self, row: models.Model | None, cls: type | None = None) -> Any:
        if row is None:
            return self
        value = super().__get__(row, cls)
        if isinstance(value, UUID):
            value = row.__dict__[self.field.attname] = Picture(value, partial(self.field.owner_of, row))
        return value

    def __set__(self, row: models.Model, value: object) -> None:
        row.__dict__[self.field.attname] = value if _is_file(value) else self.field.to_python(value)
        row.__dict__[self.field.touched] = not row._state.adding


class PictureField(_Base):
    """A picture of a row: the id of an image, ``NULL`` without one.

    A file that is assigned is uploaded when the row is saved. The picture goes to the trash when the row is deleted or
    gets another one. As with Django's own files, updates and deletions in bulk by SQL are not noticed.

    Args:
        owner: Whose the picture is, see `imagegallery.hosts.owner.Owner`: the name of a field, or a function of the
            row. Without it, it is the application's own.
    """

    description = "A picture"
    descriptor_class = _PictureAttribute

    def __init__(self, *args: Any, owner: Owner = None, **options: Any) -> None:
        super().__init__(*args, **{"null": True, **options})
        self.owner = owner

    @property
    def touched(self) -> str:
        """Where a row notes that this field has been set since it was read."""
        return f"_{self.attname}_touched"

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, **({} if self.owner is None else {"owner": self.owner})}

    def check(self, **options: Any) -> list[CheckMessage]:
        return [*super().check(**options), *self._check_owner()]

    def _check_owner(self) -> list[CheckMessage]:
        name = self.owner.partition(".")[0] if isinstance(self.owner, str) else None
        if name is None or hasattr(self.model, name) or name in _field_names(self.model):
            return []
        said = f"Its owner is {self.owner!r}, but {self.model.__name__} has no field or attribute {name!r}."
        return [Error(said, obj=self, id="imagegallery.E002")]

    def owner_of(self, row: models.Model) -> Principal:
        """Raises `ValueError` if the row does not say whose its picture is."""
        related = _field_names(row).get(self.owner) if isinstance(self.owner, str) else None
        return owner_of(row, related or self.owner)

    def get_internal_type(self) -> str:
        return "UUIDField"  # of the column: in the admin, the form field of that class has an input of its own

    def to_python(self, value: object) -> Any:
        if isinstance(value, Picture) or value is None:
            return value
        found = value.id if isinstance(value, Image) else value
        try:
            return found if isinstance(found, UUID) else UUID(str(found))
        except ValueError:
            raise ValidationError("%(value)s is not the id of an image.", "invalid", {"value": value}) from None

    def get_prep_value(self, value: object) -> Any:
        found = self.to_python(super().get_prep_value(value))
        return found.id if isinstance(found, Picture) else found

    def get_db_prep_value(self, value: object, connection: Any, prepared: bool = False) -> Any:
        image_id: UUID | None = self.get_prep_value(value)
        is_native = connection.features.has_native_uuid_field
        return image_id if image_id is None or is_native else image_id.hex

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = model_instance.__dict__.get(self.attname)
        if _is_file(value):
            image = _upload(self.owner_of(model_instance), value)
            model_instance.__dict__[self.attname] = image.id
        return super().pre_save(model_instance, add)

    def clean(self, value: object, model_instance: models.Model | None) -> Any:
        return value if _is_file(value) else super().clean(value, model_instance)

    def formfield(self, **options: Any) -> Any:
        return super().formfield(**{"form_class": PictureFormField, **options})

    def save_form_data(self, instance: models.Model, data: object) -> None:
        """``None`` means no change and ``False`` no picture, as with Django's own files."""
        if data is not None:
            setattr(instance, self.attname, data or None)


def _is_file(value: object) -> "TypeGuard[NewPicture]":
    return isinstance(value, File | Path | bytes) or hasattr(value, "read")


def _upload(owner: Principal, file: "NewPicture") -> Image:
    if not isinstance(file, File):
        return gallery.uploads.add(owner, file)
    if file.seekable():
        file.seek(0)
    return gallery.uploads.add(owner, file, filename=PurePath(file.name).name if file.name else None)


def _field_names(model: type[models.Model] | models.Model) -> dict[str, str]:
    """What a row calls each field of its model: a foreign key ``seller`` is its ``seller_id``."""
    return {each.name: each.attname for each in model._meta.concrete_fields}


def _picture_fields(model: type[models.Model]) -> list[PictureField]:
    return [each for each in model._meta.concrete_fields if isinstance(each, PictureField)]


def _follow(sender: type[models.Model], **_: object) -> None:
    """Follow the rows of a model that has pictures, and of what is derived from it."""
    if _picture_fields(sender):
        pre_save.connect(_note_what_was, sender=sender)
        post_save.connect(_let_go_of_what_was, sender=sender)
        pre_delete.connect(_let_go_with_the_row, sender=sender)


def _note_what_was(
    sender: type[models.Model], instance: models.Model, raw: bool, using: str, update_fields: Any, **_: object
) -> None:
    """Which picture the row has in the database, if it may get another one."""
    for field in _picture_fields(sender):
        is_saved = update_fields is None or {field.name, field.attname} & set(update_fields)
        if is_saved and not raw and instance.__dict__.get(field.touched):
            row = sender._base_manager.using(using).filter(pk=instance.pk)
            instance.__dict__[field.touched] = row.values_list(field.attname, flat=True).first()


def _let_go_of_what_was(sender: type[models.Model], instance: models.Model, using: str, **_: object) -> None:
    for field in _picture_fields(sender):
        was = instance.__dict__.get(field.touched)
        if isinstance(was, UUID) and was != field.get_prep_value(instance.__dict__[field.attname]):
            _trash(field.owner_of(instance), was, using)
        if was is not True:
            instance.__dict__[field.touched] = False


def _let_go_with_the_row(sender: type[models.Model], instance: models.Model, using: str, **_: object) -> None:
    for field in _picture_fields(sender):
        picture = getattr(instance, field.attname)
        if isinstance(picture, Picture):
            _trash(picture.owner, picture.id, using)


def _trash(owner: Principal, image_id: UUID, using: str) -> None:
    """In the transaction that is under way, if it can be shared: then both happen or neither. Else after its commit."""

    def put_away(host: HostConnection | None = None) -> None:
        with suppress(NotFound):  # it is there already
            gallery.images.delete(owner, image_id, connection=host)

    if (host := shared_connection(using)) is not None:
        put_away(host)
    else:
        transaction.on_commit(put_away, using=using, robust=True)


class_prepared.connect(_follow)
