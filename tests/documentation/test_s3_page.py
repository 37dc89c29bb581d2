"""The page about S3: its commands work on a bucket that is not there yet."""

import os
import re
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from tests.support.servers.object_store import SharedObjectStore

from imagegallery.aws.clients import open_client
from imagegallery.dev_stack.object_store import AWS
from imagegallery.storage.options import S3Options

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "s3.md"
DEADLINE_SECONDS = 240


@pytest.fixture
def options(object_store_server: SharedObjectStore) -> Iterator[S3Options]:
    options = object_store_server.own_bucket()
    yield options
    anyio.run(_delete_bucket, options)


async def _delete_bucket(options: S3Options) -> None:
    async with open_client("s3", AWS, endpoint_url=options.endpoint_url) as client:
        await client.delete_bucket(Bucket=options.bucket)


def test_the_commands_of_the_page_work(options: S3Options, tmp_path: Path) -> None:
    script = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL))
    assert "storage setup" in script
    assert "storage check" in script
    done = subprocess.run(
        # `doctor` warns of what does not exist before the first start; its own tests are elsewhere.
        ["bash", "-e", "-c", script],
        cwd=tmp_path,
        env={
            **os.environ,
            "PATH": f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}",
            "IMAGEGALLERY_STORAGE_S3_BUCKET": str(options.bucket),
            "IMAGEGALLERY_STORAGE_S3_ENDPOINT_URL": str(options.endpoint_url),
            "IMAGEGALLERY_AWS_ACCESS_KEY_ID": str(AWS.access_key_id),
            "IMAGEGALLERY_AWS_SECRET_ACCESS_KEY": str(AWS.secret_access_key),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for line in ("planned bucket", "done    bucket", "done    cors: https://app.example", "ok      store"):
        assert line in done.stdout
    assert done.stdout.count(": kept\n") == 5, "the five promises"
