"""Where the database is, how much of it to use, and how statements are planned and limited there. Pure."""

from datetime import timedelta
from typing import Final

from attrs import Attribute, evolve, field, frozen
from attrs.validators import ge, gt

from imagegallery.errors import ConfigurationError

APPLICATION_NAME: Final = "imagegallery"
# How statements are planned. Every one is short: compiling it would take longer than running it. And a page is read
# in its index's order: a bitmap scan reads and sorts all the rows that follow, which looks cheap in a plan that was
# made for galleries of any size and is not in a large one.
PLANNING: Final = {"jit": "off", "enable_bitmapscan": "off"}
NO_LIMIT: Final = timedelta(0)


@frozen
class DatabaseOptions:
    """Where the database is and how much of it to use.

    ``dsn`` is a PostgreSQL URL (``postgresql://user@host/name``); without one the embedded server is meant, which
    `ImageGallery.open` starts. ``min_size`` and ``max_size`` count connections of one process.

    ``pooled``: the DSN leads to a pooler in transaction mode (PgBouncer), so nothing is kept in a session;
    ``session_dsn`` then leads past it, for listening and locks. ``replicas`` are DSNs, one for each hot standby, of
    which each takes its share of the reads and up to ``max_size`` connections; who reads waits for a standby to be as
    far as the primary for at most ``replica_patience``, and then reads from the primary.

    ``statement_timeout`` is of each statement, by the server's clock; 0: none.

    Visitors, whom nobody knows, are read for over ``visitor_max_size`` connections of their own, to each of these
    servers, and each of their statements has ``visitor_statement_timeout``: whatever they ask for, users have the rest.
    """

    # Addresses may hold passwords.
    dsn: str | None = field(default=None, repr=False)
    session_dsn: str | None = field(default=None, repr=False)
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

    def for_visitors(self) -> "DatabaseOptions":
        """The same for what visitors ask for."""
        return evolve(
            self,
            min_size=0,
            max_size=self.visitor_max_size,
            statement_timeout=self.visitor_statement_timeout,
        )

    @property
    def required_dsn(self) -> str:
        """Raises `ConfigurationError` when there is none."""
        if self.dsn is None:
            raise ConfigurationError("No database address is set, and no embedded server was started in its place.")
        return self.dsn

    @property
    def dsn_for_sessions(self) -> str | None:
        """Where a connection keeps its session: ``None`` if only through the pooler, where it would not."""
        return self.session_dsn or (None if self.pooled else self.required_dsn)


def session_settings(limit: timedelta) -> dict[str, str]:
    """What a connection is opened with that keeps its session. ``limit`` is of each statement's time."""
    return {"application_name": APPLICATION_NAME, "timezone": "UTC", **_statement_settings(limit)}


def pooled_settings() -> dict[str, str]:
    """What a connection through a pooler is opened with: the parameters that PgBouncer keeps for each of its clients.

    It refuses any other (https://www.pgbouncer.org/config.html, ``ignore_startup_parameters``).
    """
    return {"application_name": APPLICATION_NAME, "timezone": "UTC"}


def transaction_settings(limit: timedelta) -> str:
    """The same for one transaction, which is all that a pooler leaves us: SQL to begin it with."""
    return "; ".join(f"SET LOCAL {name} = {value}" for name, value in _statement_settings(limit).items())


def _statement_settings(limit: timedelta) -> dict[str, str]:
    return {"statement_timeout": str(round(limit.total_seconds() * 1000)), **PLANNING}  # milliseconds, 0: none
