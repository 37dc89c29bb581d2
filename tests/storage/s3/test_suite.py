"""The S3 store keeps every promise of the public suite, on a real server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import attrs
import httpx
import pytest
from tests.support.servers.object_store import SharedObjectStore

from imagegallery.dev_stack.object_store import AWS
from imagegallery.storage.options import S3Options
from imagegallery.storage.protocol import UploadRequest
from imagegallery.storage.s3.store import S3Store
from imagegallery.testing.storage import ObjectStoreSuite


async def send(request: UploadRequest, body: bytes) -> httpx.Response:
    """As a browser sends it: a form's fields before its file, or the file alone."""
    async with httpx.AsyncClient() as client:
        if request.method == "POST":
            return await client.post(request.url, data=dict(request.fields), files={"file": ("tram.jpg", body)})
        return await client.request(request.method, request.url, headers=dict(request.headers), content=body)


class TestS3Store(ObjectStoreSuite):
    presigned_requests_write_once = False
    listed_objects = 105  # in pages of ten
    turns = 3

    @pytest.fixture(autouse=True)
    def _options(self, object_store_server: SharedObjectStore) -> None:
        self.options: S3Options = object_store_server.options()

    @asynccontextmanager
    async def open_store(self) -> AsyncIterator[S3Store]:
        async with S3Store.open(self.options, AWS) as store:
            store._bucket = attrs.evolve(store._bucket, listed_at_once=10)
            yield store

    async def let_time_pass(self) -> None:
        """SeaweedFS lists both versions of a part that was sent twice, with times in whole seconds."""
        await anyio.sleep(1.1)

    async def send(self, request: UploadRequest, body: bytes) -> int:
        return (await send(request, body)).status_code
