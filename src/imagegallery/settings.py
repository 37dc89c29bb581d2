"""All settings, composed of the ``Options`` of each package.

They come, later ones overriding, from the defaults, a TOML file (table ``[imagegallery]``) and environment variables:
``IMAGEGALLERY_DATABASE_DSN`` is ``dsn`` of ``database``. An unknown option is an error.
"""

import os
import re
import secrets
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import attrs
import cattrs
import typed_settings
from attrs import field, frozen
from typed_settings.exceptions import TsError

from imagegallery.access.disclosure import MetaOptions
from imagegallery.access.options import SharingOptions
from imagegallery.analyses.analysis import AnalysisOptions
from imagegallery.audit.options import AuditOptions
from imagegallery.aws.options import AwsOptions
from imagegallery.cache.policy import LONGEST, CacheOptions
from imagegallery.common import folders
from imagegallery.common.imported import import_named
from imagegallery.database.namespace import PUBLIC
from imagegallery.database.pool import DatabaseOptions
from imagegallery.delivery.options import DeliveryOptions
from imagegallery.errors import ConfigurationError
from imagegallery.events.event import EventOptions
from imagegallery.feature import Feature
from imagegallery.http_options import ClientLimits, JwtOptions, parse_networks, parse_origins, stripped_names
from imagegallery.images.trash.service import TrashOptions
from imagegallery.imaging.limits import ImagingOptions
from imagegallery.policies.admin_policy import AdministrationOptions
from imagegallery.policies.policy import Policy, check_policy_name
from imagegallery.privacy.options import PrivacyOptions
from imagegallery.queue.job import QueueOptions
from imagegallery.rates.options import RateOptions
from imagegallery.redis.options import RedisOptions
from imagegallery.storage.options import MIN_SECRET_BYTES, StorageOptions
from imagegallery.uploads.session.policy import UploadPolicy
from imagegallery.variants.preset import VariantOptions
from imagegallery.webhooks.webhook import WebhookOptions

ENV_PREFIX = "IMAGEGALLERY_"
DEFAULT_DATA_DIR = Path("imagegallery-data")
CONFIG_VARIABLE = "IMAGEGALLERY_CONFIG"
POLICY_PREFIX = f"{ENV_PREFIX}POLICIES_"
FEATURES_VARIABLE = "IMAGEGALLERY_FEATURES"
# Variables with our prefix that the commands read.
OTHER_VARIABLES = frozenset(f"{ENV_PREFIX}{name}" for name in ("APP", "CONFIG", "TOKEN", "LOG_LEVEL", "ACCESS_LOG"))
# typed-settings wraps the messages of options' classes in this.
_WRAPPED = re.compile(r"^Could not convert loaded settings: \w{1,40}\([\"'](.*)[\"']\)$")
T = TypeVar("T")


def load_feature(name: str) -> Feature:
    """The feature of this name, ``package.module:NAME``. Raises `ConfigurationError`."""
    found = import_named(name, "features")
    if not isinstance(found, Feature):
        raise ConfigurationError(f"features: {name!r} is none.")
    return found


def _by_name(group: object) -> Mapping[str, Policy]:
    """Policies by name: a mapping of them, or what `Settings.of_policies` makes of a file and the environment.

    Raises `ConfigurationError` for a name that is unusable."""
    given = group if isinstance(group, Mapping) else attrs.asdict(group, recurse=False)  # type: ignore[arg-type]
    return MappingProxyType({check_policy_name(name): policy for name, policy in given.items()})


def _secrets(given: str | Sequence[str] | None) -> tuple[typed_settings.SecretStr, ...]:
    """One secret, several (in a text with commas) or none."""
    each = () if given is None else given.split(",") if isinstance(given, str) else given
    return tuple(map(typed_settings.SecretStr, each))


@frozen
class Settings:
    """How an image gallery is put together. Relative paths are relative to the working directory.

    ``data_dir`` holds the embedded database, the local objects and the secret, for this user alone. ``secret_key``
    signs local URLs and seals data in Redis. Of several, with commas, the first signs and all are accepted (``None``:
    one is made and kept in ``data_dir``; machines that share a name must share it). ``features`` are the application's
    own, by name (``package.module:NAME``), for every process and command. ``policies`` are those of uploads, by name:
    a table ``[imagegallery.policies.avatar]``, or ``IMAGEGALLERY_POLICIES_AVATAR_MAX_SIZE`` and so on.

    For `imagegallery serve`: ``trusted_proxies`` are the addresses and networks whose ``X-Forwarded-*`` headers are
    trusted; ``cors_origins`` are origins of pages (``https://app.example``) that may use the API from a browser
    (without sign-in they must be named, not ``*``); ``page``: whether people find the page of pictures at ``/``.
    """

    data_dir: Path = DEFAULT_DATA_DIR
    secret_key: tuple[typed_settings.SecretStr, ...] = field(default=(), converter=_secrets)
    upkeep_interval: timedelta = timedelta(minutes=1)
    features: tuple[str, ...] = field(default=(), converter=stripped_names)
    trusted_proxies: tuple[str, ...] = field(default=(), converter=stripped_names)
    cors_origins: tuple[str, ...] = field(default=(), converter=stripped_names)
    page: bool = True
    jwt: JwtOptions = field(factory=JwtOptions)
    client: ClientLimits = field(factory=ClientLimits)
    database: DatabaseOptions = field(factory=DatabaseOptions)
    storage: StorageOptions = field(factory=StorageOptions)
    aws: AwsOptions = field(factory=AwsOptions)
    redis: RedisOptions = field(factory=RedisOptions)
    rates: RateOptions = field(factory=RateOptions)
    uploads: UploadPolicy = field(factory=UploadPolicy)
    imaging: ImagingOptions = field(factory=ImagingOptions)
    variants: VariantOptions = field(factory=VariantOptions)
    analyses: AnalysisOptions = field(factory=AnalysisOptions)
    queue: QueueOptions = field(factory=QueueOptions)
    delivery: DeliveryOptions = field(factory=DeliveryOptions)
    cache: CacheOptions = field(factory=CacheOptions)
    trash: TrashOptions = field(factory=TrashOptions)
    meta: MetaOptions = field(factory=MetaOptions)
    sharing: SharingOptions = field(factory=SharingOptions)
    events: EventOptions = field(factory=EventOptions)
    webhooks: WebhookOptions = field(factory=WebhookOptions)
    audit: AuditOptions = field(factory=AuditOptions)
    administration: AdministrationOptions = field(factory=AdministrationOptions)
    privacy: PrivacyOptions = field(factory=PrivacyOptions)
    policies: Mapping[str, Policy] = field(factory=dict, converter=_by_name)

    def __attrs_post_init__(self) -> None:
        """Check proxies and origins, and that secrets can hardly be guessed. A page that was cached as long as allowed
        must not contain URLs that have expired, or are about
        to.
        """
        parse_networks(self.trusted_proxies)
        parse_origins(self.cors_origins)
        if any(len(secret.encode()) < MIN_SECRET_BYTES for secret in self.secret_key):
            raise ConfigurationError(f"secret_key: each secret must have at least {MIN_SECRET_BYTES} bytes.")
        if self.delivery.private_url_ttl / 2 < 2 * LONGEST:
            least = 4 * LONGEST
            raise ConfigurationError(f"private_url_ttl must be at least {least}: pages with such URLs are cached.")

    def __repr__(self) -> str:
        """Where its parts are; no address, as these may contain passwords."""
        database = "embedded" if self.database.dsn is None else "PostgreSQL"
        objects = "files" if self.storage.s3.bucket is None else "S3"
        return f"<Settings data_dir={str(self.data_dir)!r} database={database} objects={objects}>"

    @classmethod
    def embedded(cls, data_dir: str | os.PathLike[str] = DEFAULT_DATA_DIR) -> "Settings":
        """Everything on this machine, below ``data_dir``, by default that of the commands."""
        return cls(data_dir=Path(data_dir))

    @classmethod
    def of_features(cls, features: Iterable[Feature]) -> type["Settings"]:
        """These settings, with a group of options for each of these features.

        Raises:
            ConfigurationError: For a feature whose name cannot be a group's.
        """
        groups = {each.name: field(factory=each.options, type=each.options) for each in features if each.options}
        for name in groups:
            if not name.isidentifier() or hasattr(cls, name):
                raise ConfigurationError(f"A feature with options cannot be named {name!r}.")
        return (
            attrs.make_class(cls.__name__, groups, bases=(cls,), frozen=True, slots=True, repr=False) if groups else cls
        )

    @classmethod
    def of_policies(cls, names: Iterable[str]) -> type["Settings"]:
        """These settings, with a group of options for each policy of these names.

        Raises:
            ConfigurationError: For a name that is unusable.
        """
        groups = {check_policy_name(name): field(factory=Policy, type=Policy) for name in names}
        if not groups:
            return cls
        group = attrs.make_class("Policies", groups, frozen=True)
        policies = field(factory=group, type=group, converter=_by_name)
        return attrs.make_class(cls.__name__, {"policies": policies}, bases=(cls,), frozen=True, slots=True, repr=False)

    @classmethod
    def from_env(cls, config: Path | Mapping[str, Any] | None = None, features: Iterable[Feature] = ()) -> "Settings":
        """Read settings from ``config`` (otherwise the file in ``IMAGEGALLERY_CONFIG``) and the environment, with
        groups for the options of these ``features``, and of those named there.

        Args:
            config: A file, or what its table would hold: ``{"uploads": {"max_size": 5_000_000}}``.

        Raises:
            ConfigurationError: With the option that is unknown or invalid.
        """
        named = config or _path_or_none(os.environ.get(CONFIG_VARIABLE)) or {}
        document = _read(named) if isinstance(named, Path) else named
        place = f"the configuration file {named}" if isinstance(named, Path) else "the settings given"
        names = stripped_names(os.environ.get(FEATURES_VARIABLE) or document.get("features", ()))
        with_features = cls.of_features(dict.fromkeys((*map(load_feature, names), *features)))
        known = with_features.of_policies(_policy_names(document, os.environ))
        _check_names(known, place, document, os.environ)
        try:
            return typed_settings.load_settings(
                known,
                loaders=[
                    typed_settings.FileLoader({"*.toml": typed_settings.TomlFormat("imagegallery")}, [named])
                    if isinstance(named, Path)
                    else typed_settings.loaders.DictLoader(dict(named)),
                    typed_settings.EnvLoader(ENV_PREFIX),
                ],
                converter=_converter(),
            )
        except (TsError, ValueError) as error:
            raise ConfigurationError("; ".join(_lines(error))) from error

    @property
    def objects_dir(self) -> Path:
        """Of this gallery alone: another one, in another schema, may have the same data directory."""
        schema = self.database.schema
        return self.data_dir / ("objects" if schema in (None, PUBLIC) else f"objects-{schema}")

    @property
    def scratch_dir(self) -> Path:
        return self.data_dir / "scratch"

    @property
    def postgres_dir(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def secret_path(self) -> Path:
        return self.data_dir / "secret.key"

    def load_secrets(self) -> tuple[bytes, ...]:
        """The signing secrets, the signing one first: those configured, otherwise the data directory's own, one a line,
        made on first use. Blocking. Raises
        `ConfigurationError`.
        """
        if self.secret_key:
            return tuple(secret.encode() for secret in self.secret_key)
        path = self.secret_path
        with suppress(FileExistsError):
            _write_once(path, secrets.token_hex(32))
        if found := tuple(path.read_bytes().split()):
            return found
        raise ConfigurationError(f"{path} is empty: put its secret back, or delete it for a new one.")


def _write_once(path: Path, text: str) -> None:
    """Write a private file atomically and durably: several processes may start together."""
    folders.make(path.parent)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    try:
        with draft.open("w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    finally:
        draft.unlink()
        folders.sync(path.parent)


@cache
def _converter() -> cattrs.Converter:
    # Only the first of several faults, but readable: with detailed validation, settings are only "not converted".
    converter = typed_settings.converters.get_default_cattrs_converter()
    converter.detailed_validation = False
    typed_settings.converters.register_strlist_hook(converter, sep=",")
    return converter


def _read(file: Path) -> Mapping[str, Any]:
    """The file's table ``[imagegallery]``. Raises `ConfigurationError` if there is none."""
    if not file.is_file():
        raise ConfigurationError(f"The configuration file {file} does not exist.")
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ConfigurationError(f"The configuration file {file} cannot be read: {error}.") from error
    if document and "imagegallery" not in document:
        raise ConfigurationError(f"The configuration file {file} has no table [imagegallery].")
    table: Mapping[str, Any] = document.get("imagegallery", {})
    return table


def names_of(options: type) -> Iterator[str]:
    """The dotted names of the options of an attrs class and of those that it is composed of."""
    for each in attrs.fields(attrs.resolve_types(options)):
        if isinstance(each.type, type) and attrs.has(each.type):
            yield from (f"{each.name}.{name}" for name in names_of(each.type))
        else:
            yield each.name


def unknown(name: str, known: Iterable[str]) -> str:
    """A sentence about a name that does not exist."""
    nearest = get_close_matches(name, known, n=1)
    return f"there is no setting {name}" + (f"; did you mean {nearest[0]}?" if nearest else ".")


def _check_names(settings: type[Settings], place: str, document: Mapping[str, Any], environment: Iterable[str]) -> None:
    """Raise `ConfigurationError` for unknown names in the file's ``document`` or the environment."""
    known = [*names_of(settings)]
    for name in _names_in(document, frozenset(known)):
        raise ConfigurationError(f"In {place} {unknown(name, known)}")
    variables = {f"{ENV_PREFIX}{name.replace('.', '_').upper()}" for name in known} | OTHER_VARIABLES
    for name in environment:
        if name.startswith(ENV_PREFIX) and name not in variables:
            raise ConfigurationError(f"In the environment {unknown(name, variables)}")


def _policy_names(document: Mapping[str, Any], environment: Iterable[str]) -> Sequence[str]:
    """The names of the policies of which the file or the environment says something."""
    tables = document.get("policies", {})
    names = dict.fromkeys(tables if isinstance(tables, dict) else ())
    options = sorted((each.name.upper() for each in attrs.fields(Policy)), key=len, reverse=True)
    for variable in environment:
        said = variable.removeprefix(POLICY_PREFIX)
        option = next((each for each in options if said.endswith(f"_{each}")), None)
        if said != variable and option is not None:
            names[said.removesuffix(f"_{option}").lower()] = None
    return list(names)


def _names_in(document: object, known: frozenset[str], prefix: str = "") -> Iterator[str]:
    """The dotted names in a file's tables that are neither settings nor groups of settings."""
    for key, value in document.items() if isinstance(document, dict) else ():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and any(each.startswith(f"{name}.") for each in known):
            yield from _names_in(value, known, f"{name}.")
        elif name not in known:
            yield name


def _path_or_none(text: str | None) -> Path | None:
    return Path(text) if text else None


def _lines(error: BaseException) -> Iterator[str]:
    """The faults, without nesting: one short clause for each option."""
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    if not inner:
        yield _WRAPPED.sub(r"\1", " ".join(str(error).split()))
    for each in inner:
        yield from _lines(each)
