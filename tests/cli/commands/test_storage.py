"""``imagegallery storage``, on a real bucket and on files."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.support.servers.object_store import SharedObjectStore

from imagegallery.cli.commands.storage import days_for
from imagegallery.cli.main import cli
from imagegallery.dev_stack.object_store import AWS
from imagegallery.errors import ConfigurationError
from imagegallery.settings import Settings
from imagegallery.storage.options import S3Options
from imagegallery.uploads.session.policy import UploadPolicy


def environment(options: S3Options) -> dict[str, str]:
    return {
        "IMAGEGALLERY_STORAGE_S3_BUCKET": str(options.bucket),
        "IMAGEGALLERY_STORAGE_S3_PREFIX": options.prefix,
        "IMAGEGALLERY_STORAGE_S3_ENDPOINT_URL": str(options.endpoint_url),
        "IMAGEGALLERY_AWS_ACCESS_KEY_ID": str(AWS.access_key_id),
        "IMAGEGALLERY_AWS_SECRET_ACCESS_KEY": str(AWS.secret_access_key),
    }


def run(tmp_path: Path, options: S3Options | None, *arguments: str) -> Result:
    env = environment(options) if options else {}
    return CliRunner().invoke(cli, ["storage", *arguments, "--data-dir", str(tmp_path)], env=env, standalone_mode=False)


def test_setup_says_what_it_did(tmp_path: Path, object_store_server: SharedObjectStore) -> None:
    options = object_store_server.options()
    planned = run(tmp_path, options, "setup", "--origin", "https://app.example", "--dry-run")
    assert (planned.return_value, "would" in planned.output) == (0, False)
    assert f"planned lifecycle: {options.prefix}incoming/" in planned.output
    done = run(tmp_path, options, "setup", "--json")
    assert done.return_value == 0
    subjects = [json.loads(line) for line in done.output.splitlines()]
    assert [(each["subject"], each["outcome"]) for each in subjects] == [
        ("bucket", "kept"),
        ("lifecycle", "done"),
        ("cors", "kept"),
    ]


def test_what_is_no_origin_is_refused(tmp_path: Path, object_store_server: SharedObjectStore) -> None:
    for wrong in ("app.example", "https://app.example/", "ftp://app.example", "https://app.example/page"):
        result = run(tmp_path, object_store_server.options(), "setup", "--origin", wrong)
        assert isinstance(result.exception, ConfigurationError)


def test_files_need_no_setup(tmp_path: Path) -> None:
    assert isinstance(run(tmp_path, None, "setup").exception, ConfigurationError)


@pytest.mark.parametrize("on_s3", [True, False])
def test_check_asks_whichever_store_there_is(
    tmp_path: Path, object_store_server: SharedObjectStore, on_s3: bool
) -> None:
    result = run(tmp_path, object_store_server.options() if on_s3 else None, "check")
    assert result.return_value == 0
    assert result.output.count("kept") == 5


def test_what_is_not_finished_outlives_every_session() -> None:
    assert days_for(Settings()) == 2
    assert days_for(Settings(), 1) == 1
    long = Settings(uploads=UploadPolicy(session_lifetime=timedelta(days=3, hours=1)))
    assert days_for(long) == 5
    assert days_for(long, 4) == 4
    with pytest.raises(ConfigurationError, match="session_lifetime"):
        days_for(long, 3)
