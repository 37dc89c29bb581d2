"""``imagegallery backfill``, ``reconcile`` and ``doctor``, as they are run."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import anyio
import pytest
from PIL import Image
from tests.cli.conftest import InProcess

from imagegallery import ImageGallery, Principal, Settings
from imagegallery.backends import open_database
from imagegallery.database.pool import Database

OWNER = Principal.user("owner")
COUNT = 3
SMALLER = """
[[imagegallery.variants.presets]]
name = "thumbnail"
width = 80
height = 80
format = "webp"
quality = {quality}
"""
Line = Mapping[str, object]
Run = Callable[..., Awaitable[list[Line]]]


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "imagegallery.cli", *arguments]


def _lines(done: "subprocess.CompletedProcess[str]", expected: int = 0) -> list[Line]:
    """What a command printed with ``--json`` that ended with this exit code."""
    assert done.returncode == expected, done.stderr + done.stdout
    assert all(line.startswith("data lies in ") for line in done.stderr.splitlines())
    return [json.loads(line) for line in done.stdout.splitlines()]


def _examined(*arguments: str, expected: int = 0) -> list[Line]:
    """What `imagegallery doctor` found."""
    command = _command("doctor", "--json", *arguments)
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"COLUMNS": "200"})
    return _lines(done, expected)


@pytest.fixture
def run(in_process: InProcess) -> Run:
    """Runs a command with ``--json``, and answers what it prints once it has ended with the ``expected`` exit code."""

    async def lines(*arguments: str, expected: int = 0) -> list[Line]:
        return _lines(await in_process.aside(*arguments, "--json"), expected)

    return lines


async def _fill(settings: Settings, count: int = COUNT) -> None:
    """Pictures that are processed, but for the later formats."""
    async with ImageGallery.open(settings) as gallery:
        trip = await gallery.galleries.create(OWNER, name="Trip")
        async with gallery.worker():
            for number in range(count):
                path = settings.data_dir / "picture.png"
                Image.new("RGB", (90 + number, 90), (number % 256, 80, 90)).save(path)
                image = await gallery.uploads.add(OWNER, path, gallery_id=trip.id)
                path.unlink()
                await gallery.images.wait_until_ready(OWNER, image.id)


async def _work(settings: Settings) -> None:
    """Do all the jobs that are due."""
    async with ImageGallery.open(settings) as gallery, gallery.worker(), open_database(settings) as database:
        while await _jobs(database):
            async with database.listen("imagegallery_images") as notifications:
                await notifications.wait(settings.queue.poll_interval / 50)


async def _jobs(database: Database) -> int:
    async with database.connection() as connection:
        count: int = await connection.fetchval("SELECT count(*) FROM jobs WHERE run_at <= now()")
        return count


async def _execute(settings: Settings, statement: str) -> None:
    async with open_database(settings) as database, database.connection() as connection:
        await connection.execute(statement)


def _age(path: Path) -> None:
    """Make a file as old as a forgotten one."""
    then = time.time() - 2 * 24 * 3600
    os.utime(path, (then, then))


async def test_backfill_says_what_it_would_do_does_it_and_is_done(settings: Settings, run: Run, tmp_path: Path) -> None:
    await _fill(settings)
    config = tmp_path / "gallery.toml"
    config.write_text(SMALLER.format(quality=20))
    before = {path.name for path in settings.data_dir.glob("objects/library/**/thumbnail-*")}

    dry = await run("backfill", "--dry-run", "--config", str(config))
    assert [line["outdated"] for line in dry[:-1]] == [["thumbnail.webp"]] * COUNT
    assert (dry[-1]["variants"], dry[-1]["dry_run"]) == ({"thumbnail.webp": COUNT}, True)
    assert (await run("backfill", "--dry-run", "--missing", "--config", str(config)))[-1]["images"] == 0

    assert (await run("backfill", "--config", str(config)))[:-1] == dry[:-1]
    await _work(await anyio.to_thread.run_sync(Settings.from_env, config))
    assert (await run("backfill", "--config", str(config)))[-1]["images"] == 0
    after = {path.name for path in settings.data_dir.glob("objects/library/**/thumbnail-*")}
    assert len(after - before) == COUNT


async def test_backfill_that_is_interrupted_says_where_to_go_on(settings: Settings, run: Run) -> None:
    await _fill(settings, 1)
    # Many more complete images without variants, held by a lock so that the first batch takes its time.
    await _execute(settings, _MANY)
    async with open_database(settings) as database, database.transaction() as connection:
        await connection.execute("LOCK TABLE jobs IN SHARE MODE")
        process = subprocess.Popen(
            _command("backfill", "--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        async with open_database(settings) as watching, watching.connection() as looking:
            while not await looking.fetchval(_WAITING):
                pass
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate()
    assert process.returncode == 130
    assert json.loads(stdout.splitlines()[-1])["finished"] is False
    assert "Interrupted" in stderr
    assert (await run("backfill"))[-1]["examined"] == 401


def test_backfill_of_a_preset_that_is_not_there(settings: Settings, in_process: InProcess) -> None:
    done = in_process("backfill", "--only", "huge")
    assert (done.returncode, done.stdout) == (1, "")
    assert "\nError: There is no preset or analysis huge" in done.stderr


async def test_reconcile_finds_repairs_and_then_finds_nothing(settings: Settings, run: Run) -> None:
    await _fill(settings)
    assert (await run("reconcile"))[-1]["finished"] is True
    objects = settings.objects_dir
    (objects / "incoming").mkdir(exist_ok=True)
    stray = objects / "incoming" / "01890000-0000-7000-8000-000000000000"
    stray.write_bytes(b"late")
    _age(stray)
    young = objects / "library" / "images" / "young.webp"
    young.write_bytes(b"on its way")
    lost = next(objects.glob("library/images/*/thumbnail-*"))
    lost.unlink()
    await _execute(settings, "UPDATE galleries SET image_count = 9")
    await _execute(settings, "UPDATE owners SET storage_used = 1")

    kinds = ["missing_variant", "stray_upload", "wrong_image_count", "wrong_storage_used"]
    found = await run("reconcile", expected=1)
    assert [line["kind"] for line in found[:-1]] == kinds
    assert stray.exists()
    repaired = await run("reconcile", "--repair")
    assert [(line["kind"], line["outcome"]) for line in repaired[:-1]] == [(kind, "repaired") for kind in kinds]
    assert not stray.exists()
    assert young.exists()
    await _work(settings)
    assert lost.exists()
    assert len(await run("reconcile")) == 1


async def test_reconcile_repairs_nothing_by_an_empty_database(
    settings: Settings, run: Run, in_process: InProcess
) -> None:
    folders = [settings.objects_dir / name for name in ("library/images", "incoming")]
    objects = [folder / "somebodys.jpg" for folder in folders]
    for file in objects:
        file.parent.mkdir(parents=True)
        file.write_bytes(b"dear to somebody")
        _age(file)
    assert [line["kind"] for line in (await run("reconcile", expected=1))[:-1]] == ["stray_object", "stray_upload"]

    refused = await in_process.aside("reconcile", "--repair")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "\nError: The database has no images, but the store has objects" in refused.stderr
    assert refused.stderr.count("\n") == 2
    assert all(file.exists() for file in objects)

    repaired = await run("reconcile", "--repair", "--store-is-ours")
    assert {line["outcome"] for line in repaired[:-1]} == {"repaired"}
    assert not any(file.exists() for file in objects)


def test_reconcile_prints_lines_for_people(settings: Settings) -> None:
    done = subprocess.run(_command("reconcile"), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("examined 0 stored objects")


def test_doctor_before_the_first_start_and_after(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    early = {str(line["name"]): line["level"] for line in _examined("--data-dir", str(data_dir))}
    assert early["decoder"] == "ok"
    assert (early["data"], early["database"]) == ("warning", "warning")
    assert not data_dir.exists()

    subprocess.run(_command("migrate", "--data-dir", str(data_dir)), check=True, capture_output=True)
    later = _examined("--data-dir", str(data_dir))
    assert {line["level"] for line in later} == {"ok"}
    assert {"libvips", "extras", "store", "database", "migrations", "clocks", "queue"} <= {
        str(line["name"]) for line in later
    }


def test_doctor_names_what_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("0123456789abcdef0123456789abcdef")
    (tmp_path / "secret.key").chmod(0o644)
    (tmp_path / "objects").write_text("a file where a folder should be")
    config = tmp_path / "gallery.toml"
    config.write_text('[imagegallery.database]\ndsn = "postgresql://nobody@127.0.0.1:1/nothing"\n')
    lines = {
        str(line["name"]): line for line in _examined("--data-dir", str(tmp_path), "--config", str(config), expected=1)
    }
    wrong = {name for name, line in lines.items() if line["level"] == "error"}
    assert wrong == {"secret", "store", "database"}
    assert str(lines["secret"]["remedy"]).startswith("chmod 600")


def test_doctor_of_settings_that_cannot_be_read(tmp_path: Path) -> None:
    config = tmp_path / "gallery.toml"
    config.write_text("[imagegallery]\nno_such_option = 1\n")
    (only,) = _examined("--data-dir", str(tmp_path), "--config", str(config), expected=1)
    assert (only["name"], only["level"]) == ("settings", "error")
    assert "no_such_option" in str(only["detail"])


# Of this database: others of the server have locks, too.
_WAITING = """
SELECT count(*) FROM pg_locks
WHERE relation = 'jobs'::regclass AND NOT granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_MANY = """
INSERT INTO images (id, owner_id, key_prefix, original_key, filename, mime_type, width, height, file_size, sha256,
                    taken_at, created_at, updated_at, processing_status)
SELECT gen_random_uuid(), 'owner', 'p/' || n || '/', 'p/' || n, 'a.png', 'image/png', 100, 100, 1, sha256('x'),
       now(), now(), now(), 'complete'
FROM generate_series(1, 400) AS n
"""
