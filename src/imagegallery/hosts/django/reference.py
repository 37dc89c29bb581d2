"""A column for the id of something in the gallery, and what becomes of that when its row is saved or deleted."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from django.core.checks import CheckMessage, Error
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.query_utils import DeferredAttribute
from django.db.models.signals import class_prepared, post_save, pre_delete, pre_save

from imagegallery.access.audience import Visibility
from imagegallery.database.host.choice import HostConnection
from imagegallery.errors import ConfigurationError, NotFound
from imagegallery.galleries.gallery import Gallery
from imagegallery.hosts.django.conf import SETTING, gallery, load_settings, shared_connection
from imagegallery.hosts.django.value import Reference
from imagegallery.hosts.owner import Owner, owner_of
from imagegallery.images.image.image import Image
from imagegallery.principal import Principal

S = TypeVar("S")
G = TypeVar("G")

if TYPE_CHECKING:

    class _Field(models.Field[S, G]):
        pass
else:

    class _Field(models.Field):
        def __class_getitem__(cls, _: object) -> type:
            return cls


class _Attribute(DeferredAttribute):
    """Gives what a row knows of its picture or gallery, whose id it has."""

    field: "ReferenceField[Any, Any]"

    def __get__(self, row: models.Model | None, cls: type | None = None) -> Any:
        if row is None:
            return self
        value = super().__get__(row, cls)
        if isinstance(value, UUID):
            value = row.__dict__[self.field.attname] = self.field.kind(value, partial(self.field.owner_of, row))
        return value

    def __set__(self, row: models.Model, value: object) -> None:
        row.__dict__[self.field.attname] = self.field.to_python(value)
        row.__dict__[self.field.touched] = not row._state.adding


class ReferenceField(_Field[S, G]):
    """The id of something in the gallery that belongs to the row; ``NULL`` without it. ``kind`` is what a row gives."""

    descriptor_class = _Attribute
    kind: Callable[[UUID, Callable[[], Principal]], Reference]

    def __init__(
        self,
        *args: Any,
        owner: Owner = None,
        policy: str | None = None,
        visibility: Visibility | str = Visibility.PRIVATE,
        **options: Any,
    ) -> None:
        super().__init__(*args, **{"null": True, **options})
        self.owner = owner
        self.policy = policy
        self.visibility = Visibility(visibility)

    @property
    def taken(self) -> str:
        """Where a row notes what it has taken while it is saved: Django may ask twice."""
        return f"_{self.attname}_taken"

    @property
    def staged(self) -> str:
        """Where a row keeps, until its commit, what its picture was made of, or the gallery that was made for it."""
        return f"_{self.attname}_staged"

    @property
    def touched(self) -> str:
        """Where a row notes that this field was set since it was read, until that is committed; and while it is saved,
        what the database has."""
        return f"_{self.attname}_touched"

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        visibility = None if self.visibility is Visibility.PRIVATE else self.visibility.value
        own = {"owner": self.owner, "policy": self.policy, "visibility": visibility}
        return name, path, args, {**options, **{name: value for name, value in own.items() if value is not None}}

    def check(self, **options: Any) -> list[CheckMessage]:
        return [*super().check(**options), *self._check_owner(), *self._check_policy()]

    def _check_policy(self) -> list[CheckMessage]:
        try:
            known = {*load_settings().policies, *gallery.definition.policy_names}
        except ConfigurationError:  # which is said of the settings
            return []
        if self.policy is None or self.policy in known:
            return []
        said = f"There is no policy {self.policy!r}."
        hint = f"There are {', '.join(sorted(known))}." if known else f"Define it in {SETTING}['policies']."
        return [Error(said, hint=hint, obj=self, id="imagegallery.E003")]

    def _check_owner(self) -> list[CheckMessage]:
        name = self.owner.partition(".")[0] if isinstance(self.owner, str) else None
        if name is None or hasattr(self.model, name) or name in _field_names(self.model):
            return []
        said = f"Its owner is {self.owner!r}, but {self.model.__name__} has no field or attribute {name!r}."
        return [Error(said, obj=self, id="imagegallery.E002")]

    def owner_of(self, row: models.Model) -> Principal:
        """Raises `ValueError` if the row does not say whose this is."""
        related = _field_names(row).get(self.owner) if isinstance(self.owner, str) else None
        return owner_of(row, related or self.owner)

    def get_internal_type(self) -> str:
        return "UUIDField"  # of the column: in the admin, the form field of that class has an input of its own

    def to_python(self, value: object) -> Any:
        if value is None or isinstance(value, Reference):
            return value
        found = value.id if isinstance(value, Image | Gallery) else value
        try:
            return found if isinstance(found, UUID) else UUID(str(found))
        except ValueError:
            raise ValidationError("%(value)s is no id.", "invalid", {"value": value}) from None

    def get_prep_value(self, value: object) -> Any:
        found = self.to_python(super().get_prep_value(value))
        return found.id if isinstance(found, Reference) else found

    def get_db_prep_value(self, value: object, connection: Any, prepared: bool = False) -> Any:
        found: UUID | None = self.get_prep_value(value)
        return found if found is None or connection.features.has_native_uuid_field else found.hex

    def let_go(self, owner: Principal, reference: UUID, host: HostConnection | None) -> None:
        """Put it away, in the host's transaction if that is given. Raises `NotFound` if it is gone already."""
        raise NotImplementedError


def _field_names(model: type[models.Model] | models.Model) -> dict[str, str]:
    """What a row calls each field of its model: a foreign key ``seller`` is its ``seller_id``."""
    return {each.name: each.attname for each in model._meta.concrete_fields}


def _references(model: type[models.Model]) -> list[ReferenceField[Any, Any]]:
    return [each for each in model._meta.concrete_fields if isinstance(each, ReferenceField)]


def _follow(sender: type[models.Model], **_: object) -> None:
    """Follow the rows of a model that has pictures, and of what is derived from it."""
    if _references(sender):
        pre_save.connect(_note_what_was, sender=sender)
        post_save.connect(_let_go_of_what_was, sender=sender)
        pre_delete.connect(_let_go_with_the_row, sender=sender)


def _note_what_was(
    sender: type[models.Model], instance: models.Model, raw: bool, using: str, update_fields: Any, **_: object
) -> None:
    """What the row has in the database, if it may get something else."""
    for field in _references(sender):
        instance.__dict__.pop(field.taken, None)
        is_saved = update_fields is None or {field.name, field.attname} & set(update_fields)
        if is_saved and not raw and instance.__dict__.get(field.touched):
            row = sender._base_manager.using(using).filter(pk=instance.pk)
            instance.__dict__[field.touched] = row.values_list(field.attname, flat=True).first()


def _let_go_of_what_was(sender: type[models.Model], instance: models.Model, using: str, **_: object) -> None:
    for field in _references(sender):
        was = instance.__dict__.get(field.touched)
        if isinstance(was, UUID) and was != field.get_prep_value(instance.__dict__[field.attname]):
            _let_go(field, field.owner_of(instance), was, using)
        if was is not True:
            instance.__dict__[field.touched] = True
            transaction.on_commit(partial(_settle, instance, field), using=using)


def _settle(row: models.Model, field: ReferenceField[Any, Any]) -> None:
    """What a row knows of a change that was not committed: then it may have to be made again."""
    row.__dict__[field.touched] = False
    for kept in (field.staged, field.taken):
        row.__dict__.pop(kept, None)


def _let_go_with_the_row(sender: type[models.Model], instance: models.Model, using: str, **_: object) -> None:
    for field in _references(sender):
        value = getattr(instance, field.attname)
        if isinstance(value, Reference):
            _let_go(field, value.owner, value.id, using)


def _let_go(field: ReferenceField[Any, Any], owner: Principal, reference: UUID, using: str) -> None:
    """In the transaction that is under way, if it can be shared: then both happen or neither. Else after its commit."""

    def put_away(host: HostConnection | None = None) -> None:
        with suppress(NotFound):  # it is there already
            field.let_go(owner, reference, host)

    if (host := shared_connection(using)) is not None:
        put_away(host)
    else:
        transaction.on_commit(put_away, using=using, robust=True)


class_prepared.connect(_follow)
