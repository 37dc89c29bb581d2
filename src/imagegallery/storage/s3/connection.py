"""The connection to one bucket: a client with its keys, and the bucket's URL for our clients."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiobotocore.config import AioConfig
from attrs import frozen

from imagegallery.aws.clients import open_client, open_session
from imagegallery.aws.keys import CurrentKeys
from imagegallery.aws.options import AwsOptions
from imagegallery.aws.skew import ServiceTime
from imagegallery.clock import Clock, utc_now
from imagegallery.storage.options import S3Options
from imagegallery.storage.s3.address import BucketAddress
from imagegallery.storage.s3.bucket import Bucket


@frozen
class S3Connection:
    """A connection to S3.

    Attributes:
        public_url: The bucket's own, without a trailing slash.
        time: The clock that requests are signed by.
    """

    bucket: Bucket
    keys: CurrentKeys
    public_url: str
    time: ServiceTime


@asynccontextmanager
async def connect(options: S3Options, aws: AwsOptions, clock: Clock = utc_now) -> AsyncIterator[S3Connection]:
    """Connect, without a request: the bucket may not exist yet. Raises `ConfigurationError`."""
    address = BucketAddress.of(options)
    session = open_session(aws)
    async with (
        open_client(
            "s3", aws, endpoint_url=options.endpoint_url, config=_config(address.path_style), session=session
        ) as client,
        CurrentKeys.kept(session) as keys,
    ):
        time = ServiceTime(clock)
        time.signs_for(client)
        endpoint = options.public_endpoint_url or str(client.meta.endpoint_url)
        yield S3Connection(Bucket.of(client, address.bucket, options), keys, address.url(endpoint), time)


def _config(path_style: bool) -> AioConfig:
    return AioConfig(
        s3={"addressing_style": "path" if path_style else "virtual"},
        # We send SHA-256 with every body. Other stores often do not support other checksums.
        request_checksum_calculation="when_required",
    )
