"""The way to one bucket: a client, whose keys sign, and the URL that clients of ours know it by."""

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
class Connection:
    """``public_url`` is the bucket's own, without a trailing slash; ``time`` is what requests are signed by."""

    bucket: Bucket
    keys: CurrentKeys
    public_url: str
    time: ServiceTime


@asynccontextmanager
async def connected(options: S3Options, aws: AwsOptions, clock: Clock = utc_now) -> AsyncIterator[Connection]:
    """Nothing is asked of the bucket yet: it may not exist. Raises `ConfigurationError`."""
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
        yield Connection(Bucket.of(client, address.bucket, options), keys, address.url(endpoint), time)


def _config(path_style: bool) -> AioConfig:
    return AioConfig(
        s3={"addressing_style": "path" if path_style else "virtual"},
        # We send SHA-256 with every body of ours; other checksums, other stores often do not know.
        request_checksum_calculation="when_required",
    )
