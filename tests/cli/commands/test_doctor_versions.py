"""What ``imagegallery doctor`` says of a bucket that keeps what is deleted."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.cli.conftest import InProcess
from tests.support.servers.object_store import SharedObjectStore

from imagegallery.aws.clients import open_client
from imagegallery.dev_stack.object_store import AWS
from imagegallery.storage.options import S3Options


@pytest.fixture
async def versioned(object_store_server: SharedObjectStore) -> AsyncIterator[S3Options]:
    options = object_store_server.own_bucket()
    async with open_client("s3", AWS, endpoint_url=options.endpoint_url) as client:
        await client.create_bucket(Bucket=options.bucket)
        await client.put_bucket_versioning(Bucket=options.bucket, VersioningConfiguration={"Status": "Enabled"})
        yield options
        kept = await client.list_object_versions(Bucket=options.bucket)
        for each in (*kept.get("Versions", ()), *kept.get("DeleteMarkers", ())):
            await client.delete_object(Bucket=options.bucket, Key=each["Key"], VersionId=each["VersionId"])
        await client.delete_bucket(Bucket=options.bucket)


async def test_versions_are_warned_of(
    versioned: S3Options, in_process: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEGALLERY_STORAGE_S3_BUCKET", str(versioned.bucket))
    monkeypatch.setenv("IMAGEGALLERY_STORAGE_S3_ENDPOINT_URL", str(versioned.endpoint_url))
    monkeypatch.setenv("IMAGEGALLERY_AWS_ACCESS_KEY_ID", str(AWS.access_key_id))
    monkeypatch.setenv("IMAGEGALLERY_AWS_SECRET_ACCESS_KEY", str(AWS.secret_access_key))
    done = await in_process.aside("doctor", "--json", "--data-dir", str(tmp_path))
    found = {each["name"]: each for each in map(json.loads, done.stdout.splitlines())}
    assert found["store"]["level"] == "ok"
    assert found["deletion"]["level"] == "warning"
    assert "--expire-versions" in found["deletion"]["remedy"]
