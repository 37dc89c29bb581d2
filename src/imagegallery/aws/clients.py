"""Clients of AWS services, or of what speaks their protocols, made alike."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from imagegallery.aws.options import AwsOptions


@asynccontextmanager
async def open_client(
    service: str, options: AwsOptions, *, endpoint_url: str | None = None, config: AioConfig | None = None
) -> AsyncIterator[Any]:
    """An aiobotocore client of ``service``, closed on leaving. ``config`` adds to what the options say.

    Its methods are made at run time from the service's description, so its type is open; adapters close it again.
    """
    async with get_session().create_client(
        service,
        region_name=options.region,
        endpoint_url=endpoint_url,
        aws_access_key_id=options.access_key_id,
        aws_secret_access_key=options.secret_access_key,
        aws_session_token=options.session_token,
        config=_config(options).merge(config) if config else _config(options),
    ) as client:
        yield client


def _config(options: AwsOptions) -> AioConfig:
    return AioConfig(
        connect_timeout=options.connect_timeout.total_seconds(),
        read_timeout=options.read_timeout.total_seconds(),
        max_pool_connections=options.connections,
        retries={"total_max_attempts": options.max_attempts, "mode": "standard"},
        tcp_keepalive=True,
    )
