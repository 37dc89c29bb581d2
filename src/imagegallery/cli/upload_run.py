"""One run of ``imagegallery upload``: files in, one line of result for each out."""

import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import anyio
import click
from anyio.to_thread import run_sync
from attrs import frozen
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from imagegallery.cli.import_run import find_files
from imagegallery.client import GalleryClient, StateFile
from imagegallery.errors import ImageGalleryError

FILES_AT_ONCE = 3


@frozen
class Target:
    """Where files go, and how: see the options of the command."""

    url: str
    token: str | None
    gallery_name: str | None
    state_file: Path | None
    parallel_parts: int


@frozen
class Sent:
    """What became of a file: its image, or why there is none."""

    path: Path
    image_id: UUID | None = None
    error: str | None = None

    def line(self, *, as_json: bool) -> str:
        if as_json:
            image_id = None if self.image_id is None else str(self.image_id)
            return json.dumps({"path": str(self.path), "image_id": image_id, "error": self.error}, ensure_ascii=False)
        return f"{self.path}: {self.error or self.image_id}"


Report = Callable[[Sent], None]


async def upload_all(target: Target, paths: Sequence[Path], as_json: bool) -> int:
    """Upload everything, telling of each file as it ends; answers how many failed."""
    files = await run_sync(find_files, paths)
    total = await run_sync(_total_size, files)
    state = await StateFile.open(target.state_file) if target.state_file else StateFile.in_memory()
    failures = 0

    def report(sent: Sent) -> None:
        nonlocal failures
        failures += sent.error is not None
        click.echo(sent.line(as_json=as_json), err=sent.error is not None and not as_json)

    with _bytes_bar(total) as advance:
        async with GalleryClient.open(
            target.url, token=target.token, state=state, parallel_parts=target.parallel_parts
        ) as client:
            gallery_id = await client.find_or_make_gallery(target.gallery_name) if target.gallery_name else None
            waiting = iter(files)
            async with anyio.create_task_group() as tasks:
                for _ in range(FILES_AT_ONCE):
                    tasks.start_soon(_work, waiting, lambda path: _upload(client, path, gallery_id, advance), report)
    return failures


async def _upload(client: GalleryClient, path: Path, gallery_id: UUID | None, advance: Callable[[int], None]) -> Sent:
    try:
        return Sent(path, await client.upload(path, gallery_id=gallery_id, advance=advance))
    except ImageGalleryError as error:
        return Sent(path, error=error.message)
    except OSError as error:
        return Sent(path, error=error.strerror or "cannot be read")


async def _work(files: Iterator[Path], upload: Callable[[Path], Awaitable[Sent]], report: Report) -> None:
    """One of those who share the files."""
    for path in files:
        report(await upload(path))


def _total_size(files: Sequence[Path]) -> int:
    return sum(path.stat().st_size for path in files)


@contextmanager
def _bytes_bar(total: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr, where somebody watches."""
    console = Console(stderr=True)
    columns = (TextColumn("uploading"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=total)
        yield lambda count: progress.advance(task, count)
