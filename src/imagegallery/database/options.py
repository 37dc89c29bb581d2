"""Database options, and how statements are planned and limited. Pure."""

import re
from datetime import timedelta
from typing import Final

from attrs import Attribute, evolve, field, frozen
from attrs.validators import ge, gt

from imagegallery.errors import ConfigurationError

APPLICATION_NAME: Final = "imagegallery"
# How statements are planned. They are short, so compiling would take longer than running them. A page is read in its
# index's order: a bitmap scan reads and sorts all following rows, which looks cheap in a plan for galleries of any size
# and is not in a large one.
PLANNING: Final = {"jit": "off", "enable_bitmapscan": "off"}
NO_LIMIT: Final = timedelta(0)
# Identifiers that need no quotes, in at most the 63 bytes that PostgreSQL keeps of one.
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@frozen
class DatabaseOptions:
    """The database, and the resources to use.

    ``dsn`` is a PostgreSQL URL (``postgresql://user@host/name``). Without it `ImageGallery.open` starts the embedded
    server. ``min_size`` and ``max_size`` are connections of one process.

    ``schema`` is the one that holds the gallery's tables, such as ``imagegallery`` in the database of an application;
    migrating makes it. By default it is the role's first, usually ``public``. Galleries in two schemas share nothing.

    ``pooled``: the DSN leads to a pooler in transaction mode (PgBouncer), so that sessions keep nothing;
    ``session_dsn`` then bypasses it, for listening and locks. ``replicas`` are DSNs of hot standbys, each of which gets
    a share of the reads and up to ``max_size`` connections. A reader waits at most ``replica_patience`` for a standby
    to reach the primary's state, and then reads from the primary.

    ``statement_timeout`` is for each statement, by the server's clock; 0: none.

    Reads of anonymous visitors use ``visitor_max_size`` connections of their own to each of these servers, with
    ``visitor_statement_timeout`` for each statement: users keep the rest, whatever visitors request.
    """

    # Addresses may contain passwords.
    dsn: str | None = field(default=None, repr=False)
    session_dsn: str | None = field(default=None, repr=False)
    schema: str | None = field(default=None)
    pooled: bool = False
    replicas: tuple[str, ...] = field(default=(), repr=False)
    replica_patience: timedelta = field(default=timedelta(milliseconds=50), validator=ge(NO_LIMIT))
    min_size: int = field(default=1, validator=ge(0))
    max_size: int = field(default=10, validator=ge(1))
    statement_timeout: timedelta = field(default=timedelta(seconds=30), validator=ge(NO_LIMIT))
    visitor_max_size: int = field(default=4, validator=ge(1))
    visitor_statement_timeout: timedelta = field(default=timedelta(seconds=3), validator=gt(NO_LIMIT))
    connect_timeout: timedelta = field(default=timedelta(seconds=10), validator=gt(NO_LIMIT))
    acquire_timeout: timedelta = field(default=timedelta(seconds=10), validator=gt(NO_LIMIT))

    @max_size.validator
    def _check_max_size(self, _: "Attribute[int]", max_size: int) -> None:
        if max_size < self.min_size:
            raise ConfigurationError(f"database.max_size ({max_size}) is less than database.min_size.")

    @schema.validator
    def _check_schema(self, _: "Attribute[str | None]", schema: str | None) -> None:
        if schema is None:
            return
        if not _SCHEMA.fullmatch(schema) or schema.startswith("pg_") or schema == "information_schema":
            raise ConfigurationError(
                f"database.schema cannot be {schema!r}: use lower-case letters, digits and underscores, at most 63, and"
                " neither a digit nor pg_ at the beginning."
            )

    def for_visitors(self) -> "DatabaseOptions":
        """The same for visitors' requests."""
        return evolve(
            self,
            min_size=0,
            max_size=self.visitor_max_size,
            statement_timeout=self.visitor_statement_timeout,
        )

    @property
    def required_dsn(self) -> str:
        """Raise `ConfigurationError` if there is none."""
        if self.dsn is None:
            raise ConfigurationError("No database address is set, and no embedded server was started in its place.")
        return self.dsn

    @property
    def dsn_for_sessions(self) -> str | None:
        """The DSN of connections that keep their session; ``None`` if there is only a pooler."""
        return self.session_dsn or (None if self.pooled else self.required_dsn)


def session_settings(limit: timedelta, schema: str | None) -> dict[str, str]:
    """Settings of a connection that keeps its session. ``limit`` is for each statement."""
    return {"application_name": APPLICATION_NAME, "timezone": "UTC", **_statement_settings(limit, schema)}


def pooled_settings() -> dict[str, str]:
    """Settings of a connection through a pooler: the parameters that PgBouncer keeps for each of its clients.

    It refuses any other (https://www.pgbouncer.org/config.html, ``ignore_startup_parameters``).
    """
    return {"application_name": APPLICATION_NAME, "timezone": "UTC"}


def transaction_settings(limit: timedelta, schema: str | None) -> str:
    """The same for one transaction through a pooler: SQL to begin it with."""
    return "; ".join(f"SET LOCAL {name} = {value}" for name, value in _statement_settings(limit, schema).items())


def _statement_settings(limit: timedelta, schema: str | None) -> dict[str, str]:
    """The search path is this schema alone: no table of an application stands in for a missing one of ours."""
    milliseconds = round(limit.total_seconds() * 1000)  # 0: none
    path = {} if schema is None else {"search_path": f'"{schema}"'}
    return {"statement_timeout": str(milliseconds), **PLANNING, **path}
