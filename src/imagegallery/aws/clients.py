"""Clients of AWS services and compatible ones, all configured alike, and the keys for signing without them."""

import asyncio
import functools
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession, get_session
from anyio import to_thread
from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader

from imagegallery.aws.options import AwsOptions
from imagegallery.errors import ConfigurationError


@asynccontextmanager
async def open_client(
    service: str,
    options: AwsOptions,
    *,
    endpoint_url: str | None = None,
    config: AioConfig | None = None,
    session: AioSession | None = None,
) -> AsyncIterator[Any]:
    """Open an aiobotocore client of ``service``, closed on leaving. ``config`` is added to the options.

    Its methods are made at run time, so its type depends on the annotation of the caller. Raises `ConfigurationError`
    if the options, or the account's own files, are wrong.
    """
    opened = session or open_session(options)
    arguments: dict[str, Any] = {  # as the stubs' overloads have it, each of one service
        "service_name": service,
        "region_name": options.region,
        "endpoint_url": endpoint_url,
        "config": _config(options).merge(config) if config else _config(options),
    }
    async with AsyncExitStack() as stack:
        with _said():
            await to_thread.run_sync(_warm_up, opened, arguments)
            client = await stack.enter_async_context(opened.create_client(**arguments))
        yield client


def open_session(options: AwsOptions) -> AioSession:
    """Make a session for the account. Reads nothing yet."""
    session = get_session()
    session.register_component("data_loader", _descriptions())
    if (options.access_key_id is None) != (options.secret_access_key is None):
        raise ConfigurationError("Set both `aws.access_key_id` and `aws.secret_access_key`, or neither.")
    if options.access_key_id is not None and options.secret_access_key is not None:
        session.set_credentials(options.access_key_id, options.secret_access_key, options.session_token)
    return session


@functools.cache
def _descriptions() -> Loader:
    """The descriptions of services, megabytes of JSON: read once per process, not for each client."""
    return Loader(extra_search_paths=None, include_default_search_paths=True)


def _warm_up(session: AioSession, arguments: Mapping[str, Any]) -> None:
    """Make such a client once in this thread. That reads files, which must not happen in the event loop. The session
    keeps
    them, so that making the real client only computes.
    """

    async def make() -> None:
        await session.get_credentials()
        async with session.create_client(**arguments):
            pass

    asyncio.run(make())


@contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ValueError) as error:
        raise ConfigurationError(f"The settings of `aws`, or of its services, cannot work: {error}") from error


def _config(options: AwsOptions) -> AioConfig:
    return AioConfig(
        connect_timeout=options.connect_timeout.total_seconds(),
        read_timeout=options.read_timeout.total_seconds(),
        max_pool_connections=options.connections,
        retries={"total_max_attempts": options.max_attempts, "mode": "standard"},
        tcp_keepalive=True,
    )
