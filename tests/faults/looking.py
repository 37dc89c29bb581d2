"""What a test sees of a deployment, from outside: rows, objects, and what `reconcile` says about both."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any
from uuid import UUID

import anyio
import asyncpg
from tests.faults.deployment import Deployment

from imagegallery.aws.clients import open_client
from imagegallery.gallery import ImageGallery
from imagegallery.reconciliation.finding import Finding, RepairOutcome
from imagegallery.settings import Settings
from imagegallery.uploads.checks import STRAY_UPLOAD
from imagegallery.variants.checks import STRAY_OBJECT

# What waits for its time is not waited for.
# One that failed while time passed is tried again in some seconds.
DUE = """
SELECT state FROM jobs
WHERE state = 'dead' OR run_at <= $1::timestamptz + interval '1 minute' OR state = 'running'"""
KEYS = """
SELECT original_key FROM images WHERE original_state <> 'refused'
UNION SELECT key FROM image_variants"""
GALLERIES = """
SELECT g.image_count, count(i.image_id) AS held
FROM galleries g LEFT JOIN gallery_images i ON i.gallery_id = g.id
GROUP BY g.id"""
STORAGE = """
SELECT (SELECT coalesce(sum(storage_used), 0)::bigint FROM owners) AS recorded,
       (SELECT coalesce(sum(file_size), 0)::bigint FROM
           (SELECT DISTINCT owner_id, original_key, file_size FROM images WHERE original_state <> 'refused') AS original
       ) AS stored"""
ZERO = timedelta(0)
LONG_AFTER = timedelta(hours=27)
STRAYS = {STRAY_OBJECT, STRAY_UPLOAD}


async def rows(deployment: Deployment, sql: str, *arguments: object) -> Sequence[asyncpg.Record]:
    async with deployment.database.connection() as connection:
        return await connection.fetch(sql, *arguments)


async def idle(deployment: Deployment) -> None:
    """Wait until no job is due, or will be soon, and none was given up."""
    while found := await rows(deployment, DUE, deployment.clock()):
        assert "dead" not in [row["state"] for row in found]
        await anyio.sleep(0.1)


async def upload_state(deployment: Deployment, upload_id: str, state: str | None) -> None:
    """Wait until the session's row says so; ``None``: until there is no row."""
    while True:
        found = await rows(deployment, "SELECT state FROM upload_sessions WHERE id = $1", UUID(upload_id))
        if [row["state"] for row in found] == ([state] if state else []):
            return
        await anyio.sleep(0.1)


async def check(deployment: Deployment, images: Sequence[UUID], *, at_least: bool = False) -> None:
    """There are these images and no other, all is counted as it is, and in the store there is what rows name, only.

    ``at_least``: more images may be in than their clients heard of.
    """
    await idle(deployment)
    found = {row["id"] for row in await rows(deployment, "SELECT id FROM images")}
    assert found >= set(images) if at_least else found == set(images)
    deployment.pass_time(LONG_AFTER)
    await deployment.gallery.uploads.sweep()
    await idle(deployment)
    findings = await reconcile(deployment.gallery, repair=True)
    assert {finding.kind for finding in findings} <= STRAYS, findings
    assert {finding.outcome for finding in findings} <= {RepairOutcome.REPAIRED}, findings
    assert await reconcile(deployment.gallery, repair=False) == []
    assert await objects_of(deployment.gallery.settings) == sorted(
        row["original_key"] for row in await rows(deployment, KEYS)
    )
    assert [row for row in await rows(deployment, GALLERIES) if row["image_count"] != row["held"]] == []
    ((recorded, stored),) = await rows(deployment, STORAGE)
    assert recorded == stored


async def reconcile(gallery: ImageGallery, *, repair: bool) -> list[Finding]:
    return [
        finding
        for phase in gallery.upkeep.reconciliation(grace=timedelta(0))
        async for step in phase.run(repair=repair)
        for finding in step.findings
    ]


async def objects_of(settings: Settings) -> list[str]:
    """All keys below our prefix, also those that a store keeps to itself."""
    place = settings.storage.s3
    async with store_client(settings) as client:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=place.prefix)
        return sorted([found["Key"].removeprefix(place.prefix) async for found in _contents(pages)])


async def unfinished(deployment: Deployment) -> list[str]:
    """The keys of uploads in parts that are under way."""
    place = deployment.gallery.settings.storage.s3
    async with store_client(deployment.gallery.settings) as client:
        answer = await client.list_multipart_uploads(Bucket=place.bucket, Prefix=place.prefix)
    return [upload["Key"] for upload in answer.get("Uploads", ())]


async def _contents(pages: AsyncIterator[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
    async for page in pages:
        for found in page.get("Contents", ()):
            yield found


def store_client(settings: Settings) -> AbstractAsyncContextManager[Any]:
    return open_client("s3", settings.aws, endpoint_url=settings.storage.s3.endpoint_url)


def queue_client(settings: Settings) -> AbstractAsyncContextManager[Any]:
    return open_client("sqs", settings.aws, endpoint_url=settings.queue.sqs.endpoint_url)
