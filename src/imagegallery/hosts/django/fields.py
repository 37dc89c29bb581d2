"""Model fields: a picture of a row, and a gallery of a row."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.db import models, router

from imagegallery.database.host.choice import HostConnection
from imagegallery.errors import NotFound, Refused
from imagegallery.hosts.django.conf import gallery, shared_connection
from imagegallery.hosts.django.forms import PictureFormField
from imagegallery.hosts.django.reference import ReferenceField
from imagegallery.hosts.django.value import Picture, RowGallery
from imagegallery.images.image.image import Image
from imagegallery.principal import Principal
from imagegallery.storage.streams import Readable
from imagegallery.sync.gallery import SyncStagedUpload

if TYPE_CHECKING:
    from imagegallery.galleries.gallery import Gallery

    NewPicture: TypeAlias = File[bytes] | Path | bytes | Readable | SyncStagedUpload
    """What becomes the picture of a row when that is saved."""
    AnyPicture: TypeAlias = NewPicture | Picture | Image | UUID | str | None
    AnyGallery: TypeAlias = RowGallery | Gallery | UUID | str | None


class PictureField(ReferenceField["AnyPicture", "Picture | None"]):
    """A picture of a row: the id of an image, ``NULL`` without one.

    A file that is assigned is checked with the row, and becomes an image when the row is saved, in the same transaction
    if the gallery is in the project's database. An image that is assigned must be its owner's, and of no other row. The
    picture goes to the trash when the row is deleted or gets another one. As with Django's own files, what is done in
    bulk by SQL is not noticed.

    Args:
        owner: Whose the picture is, see `imagegallery.hosts.owner.Owner`: the name of a field, or a function of the
            row. Without it, it is the application's own.
        policy: The name of the policy that files are held to (``IMAGEGALLERY["policies"]``, ``@gallery.policy``).
        visibility: Who may see it beside its owner: ``public`` pictures have addresses that last.
    """

    description = "A picture"
    kind = Picture

    def to_python(self, value: object) -> Any:
        return value if _is_new(value) else super().to_python(value)

    def clean(self, value: object, model_instance: models.Model | None) -> Any:
        """Check a file, and keep it for a day: until the row is saved. Raises `ValidationError`."""
        if not _is_new(value) or isinstance(value, SyncStagedUpload) or model_instance is None:
            return super().clean(value, model_instance)
        try:
            owner = self.owner_of(model_instance)
        except ValueError:  # as of a form whose view sets it: the file is checked when the row is saved
            return value
        try:
            return self._staged(owner, value)
        except Refused as error:
            raise ValidationError(error.message, error.code) from error

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = model_instance.__dict__.get(self.attname)
        host = shared_connection(model_instance._state.db or router.db_for_write(type(model_instance)))
        if _is_new(value):
            owner = self.owner_of(model_instance)
            staged = value if isinstance(value, SyncStagedUpload) else self._staged(owner, value)
            self._attach(model_instance, staged, host)
        elif value is not None and self._is_other(model_instance, value):
            self._claim(model_instance, self.get_prep_value(value), host)
        return super().pre_save(model_instance, add)

    def _attach(self, row: models.Model, staged: SyncStagedUpload, host: HostConnection | None) -> None:
        image_id = staged.attach(host, visibility=self.visibility).id
        row.__dict__.update({self.attname: image_id, self.taken: image_id, self.staged: staged})

    def _claim(self, row: models.Model, image_id: UUID, host: HostConnection | None) -> None:
        try:
            gallery.uploads.claim(self.owner_of(row), image_id, connection=host)
            row.__dict__[self.taken] = image_id
        except NotFound:
            if self.staged not in row.__dict__:
                raise
            self._attach(row, row.__dict__[self.staged], host)  # the row's last transaction was rolled back

    def _staged(self, owner: Principal, file: "File[bytes] | Path | bytes | Readable") -> SyncStagedUpload:
        if isinstance(file, File) and file.seekable():
            file.seek(0)  # a validator may have read it
        return gallery.uploads.stage(owner, file, policy=self.policy)

    def _is_other(self, row: models.Model, value: object) -> bool:
        """Whether it is another picture than the row has in the database."""
        image_id, was = self.get_prep_value(value), row.__dict__.get(self.touched, False)
        is_set = row._state.adding or (was is not False and was != image_id)
        return is_set and row.__dict__.get(self.taken) != image_id

    def let_go(self, owner: Principal, reference: UUID, host: HostConnection | None) -> None:
        gallery.images.delete(owner, reference, connection=host)

    def formfield(self, **options: Any) -> Any:
        return super().formfield(**{"form_class": PictureFormField, **options})

    def save_form_data(self, instance: models.Model, data: object) -> None:
        """``None`` means no change and ``False`` no picture, as with Django's own files."""
        if data is not None:
            setattr(instance, self.attname, data or None)


class GalleryField(ReferenceField["AnyGallery", "RowGallery | None"]):
    """A gallery of a row, made with it: ``item.photos.add(file)``, ``{% for photo in item.photos %}``.

    The row's deletion deletes it, and puts images that are in no other gallery into the trash. ``owner``, ``policy``
    (of images that are uploaded into it) and ``visibility`` are as those of `PictureField`. An owner has at most 10,000
    galleries.
    """

    description = "A gallery"
    kind = RowGallery

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"editable": False, **options})

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        host = shared_connection(model_instance._state.db or router.db_for_write(type(model_instance)))
        if self._is_missing(model_instance, host, add=add):
            made = gallery.galleries.create(
                self.owner_of(model_instance),
                name=f"{self.model._meta.verbose_name} {self.verbose_name}",
                policy=self.policy,
                visibility=self.visibility,
                connection=host,
            ).id
            model_instance.__dict__.update({self.attname: made, self.taken: made, self.staged: made})
        return super().pre_save(model_instance, add)

    def _is_missing(self, row: models.Model, host: HostConnection | None, *, add: bool) -> bool:
        """Whether one is to be made: for a new row, and for one whose last transaction was rolled back."""
        value = row.__dict__.get(self.attname)
        if value is None:
            return add
        if self.staged not in row.__dict__ or self.taken in row.__dict__:
            return False
        try:
            gallery.galleries.get(self.owner_of(row), self.get_prep_value(value), connection=host)
        except NotFound:
            return True
        return False

    def let_go(self, owner: Principal, reference: UUID, host: HostConnection | None) -> None:
        gallery.galleries.delete(owner, reference, with_images=True, connection=host)


def _is_new(value: object) -> "TypeGuard[NewPicture]":
    return isinstance(value, File | Path | bytes | SyncStagedUpload) or hasattr(value, "read")
