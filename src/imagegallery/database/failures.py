"""Translate errors of PostgreSQL and of the driver: `Unavailable`, or `ConfigurationError` if they are permanent."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

import asyncpg

from imagegallery.errors import ConfigurationError, Unavailable

# Codes from the server, or from the driver, for a connection that cannot be opened or is gone. A cancelled statement
# (57014) took longer than ``statement_timeout``; 57P01 to 57P03 are a server that stops or starts.
GONE: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
)
# The driver's own errors. It also raises one for a statement when the server has just hung up ("cannot switch to state
# 12"), and then has dropped the connection.
_DRIVER: Final = (asyncpg.InterfaceError, asyncpg.InternalClientError)
# Possible errors when releasing a connection that is already broken.
ENDINGS: Final = (asyncpg.PostgresError, *_DRIVER, OSError)
_WRONG_SETTINGS: Final = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.exceptions.ClientConfigurationError,
)


@contextmanager
def opening() -> Iterator[None]:
    """Translate errors of opening a connection. Nothing else may be in the block, since it catches broadly."""
    try:
        yield
    except TimeoutError as error:
        raise Unavailable("No database connection could be had in time.") from error
    except _WRONG_SETTINGS as error:
        raise ConfigurationError(f"The database settings do not work: {error}") from error
    except ValueError:
        # It may quote the piece of a password that was parsed as something else.
        raise ConfigurationError("The database address cannot be read; is its password percent-encoded?") from None
    except (*GONE, *_DRIVER, OSError) as error:
        raise _unavailable("The database does not answer.", error) from error


class Closable(Protocol):
    def is_closed(self) -> bool: ...


@contextmanager
def using(connection: Closable) -> Iterator[None]:
    """Translate the loss of a connection in use."""
    try:
        yield
    except (asyncpg.QueryCanceledError, TimeoutError) as error:
        # The latter is the driver's own limit, for a network that went silent.
        raise Unavailable("The database took too long to answer.") from error
    except asyncpg.DeadlockDetectedError as error:
        raise Unavailable("Two transactions waited for each other, and this one gave way.") from error
    except asyncpg.SerializationError as error:
        # 40001, which READ COMMITTED only knows from standbys: rows being read were removed.
        raise Unavailable("A replica broke off what it was reading.") from error
    except (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError) as error:
        # A migration ran; the driver has forgotten its prepared statements.
        raise Unavailable("The database's tables have just been changed.") from error
    except (asyncpg.InsufficientResourcesError, asyncpg.ReadOnlySQLTransactionError) as error:
        # For example, its disk is full, or it became a standby because another server was promoted.
        raise Unavailable("The database cannot do this now.") from error
    except GONE as error:
        raise _unavailable("The database connection was lost.", error) from error
    except _DRIVER as error:
        if _is_lost(connection):
            raise Unavailable("The database connection was lost.") from error
        raise


def _unavailable(message: str, cause: Exception) -> Unavailable:
    """With a note of what the server, or a pooler in front of it, said."""
    unavailable = Unavailable(message)
    if isinstance(cause, asyncpg.PostgresError) and cause.severity is not None:  # otherwise the driver made it up
        words = " ".join(str(cause).split())
        unavailable.add_note(f"It says: {words}.")
        if "startup parameter" in words:
            unavailable.add_note("If a pooler is in between, set `database.pooled`.")
    return unavailable


def _is_lost(connection: Closable) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        # The pool has already taken the closed connection from us.
        return True
