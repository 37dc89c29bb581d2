"""The gallery of a Django project, and where its settings come from."""

from collections.abc import Mapping
from functools import cache
from typing import Final
from urllib.parse import quote, urlencode

from attrs import evolve
from django.conf import settings as project
from django.db import DEFAULT_DB_ALIAS, connections

from imagegallery.database.host.choice import HostConnection
from imagegallery.errors import ConfigurationError
from imagegallery.settings import Settings
from imagegallery.sync.gallery import SyncGallery, open_gallery

SETTING: Final = "IMAGEGALLERY"
SCHEMA: Final = "imagegallery"
# What the drivers of both have in common (libpq's names).
_OPTIONS: Final = ("sslmode", "sslcert", "sslkey", "sslrootcert", "sslpassword", "passfile", "service")


def load_settings() -> Settings:
    """The settings in ``IMAGEGALLERY``, a dictionary of the names that a configuration file has, and the environment.

    Without a ``data_dir`` it is ``imagegallery-data`` in the project's ``BASE_DIR``. Without a ``database.dsn`` the
    gallery is in the project's default database, if that is PostgreSQL, in the schema ``imagegallery`` unless
    ``database.schema`` names another.

    Raises:
        ConfigurationError: With the option that is unknown or invalid.
    """
    settings = _given()
    if not _is_shared(settings):
        return settings
    database = settings.database
    return evolve(settings, database=evolve(database, dsn=_address(), schema=database.schema or SCHEMA))


def shares_database(alias: str) -> bool:
    """Whether the gallery is in this database of the project's."""
    return alias == DEFAULT_DB_ALIAS and _is_shared(_given())


def shared_connection(alias: str) -> HostConnection | None:
    """The driver's connection, inside the transaction that is under way, if the gallery can take part in it."""
    connection = connections[alias]
    if not connection.in_atomic_block or not shares_database(alias):
        return None
    driver: HostConnection = connection.connection
    return driver if type(driver).__module__.partition(".")[0] == "psycopg" else None


def close_when_changed(*, setting: str, **_: object) -> None:
    """So that a test which overrides the settings has a gallery with these."""
    if setting == SETTING:
        _given.cache_clear()
        gallery.close()


@cache
def _given() -> Settings:
    given = getattr(project, SETTING, {})
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"{SETTING} must be a dictionary of settings, not {type(given).__name__}.")
    base = getattr(project, "BASE_DIR", None)
    own = {} if base is None else {"data_dir": f"{base}/imagegallery-data"}
    return Settings.from_env({**own, **given})


def _is_shared(settings: Settings) -> bool:
    return settings.database.dsn is None and connections[DEFAULT_DB_ALIAS].vendor == "postgresql"


def _address() -> str:
    """Of the default database as it is now: the test runner gives it another name."""
    site = {name: str(value or "") for name, value in connections[DEFAULT_DB_ALIAS].settings_dict.items()}
    options = connections[DEFAULT_DB_ALIAS].settings_dict.get("OPTIONS", {})
    given = {"user": site["USER"], "password": site["PASSWORD"], "host": site["HOST"], "port": site["PORT"]}
    query = {**given, **{name: options[name] for name in _OPTIONS if name in options}}
    return f"postgresql:///{quote(site['NAME'])}?{urlencode({name: value for name, value in query.items() if value})}"


gallery: Final[SyncGallery] = open_gallery(load_settings)
"""Opened by the first call in each process, with the settings as they are then."""
