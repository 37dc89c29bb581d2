"""Shared by this package's tests: a bucket of a real server, and requests to it as a client sends them."""

from collections.abc import AsyncIterator

import pytest
from tests.support.servers.object_store import SharedObjectStore

from imagegallery.dev_stack.object_store import AWS
from imagegallery.storage.options import S3Options
from imagegallery.storage.s3.store import S3Store


@pytest.fixture
def s3_options(object_store_server: SharedObjectStore) -> S3Options:
    """A place of this test's own."""
    return object_store_server.options()


@pytest.fixture
async def s3(s3_options: S3Options) -> AsyncIterator[S3Store]:
    async with S3Store.open(s3_options, AWS) as store:
        yield store
