"""One run of ``imagegallery upload``: files in, a line of result for each."""

import json
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from uuid import UUID

import anyio
import click
from anyio.to_thread import run_sync
from attrs import frozen
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from imagegallery.cli.import_run import find_files
from imagegallery.cli.output import printable
from imagegallery.client import ApiProblem, GalleryClient, StateFile
from imagegallery.errors import ImageGalleryError, Unavailable
from imagegallery.uploads.session.policy import OnDuplicate

FILES_AT_ONCE = 3


@frozen
class UploadDestination:
    """Where and how to send files: see the options of the command."""

    url: str
    token: str | None
    gallery_name: str | None
    state_file: Path | None
    parallel_parts: int
    on_duplicate: OnDuplicate | None
    policy: str | None = None


@frozen
class UploadResult:
    """The image of a file, or why there is none."""

    path: Path
    image_id: UUID | None = None
    error: str | None = None

    def line(self, *, as_json: bool) -> str:
        if as_json:
            image_id = None if self.image_id is None else str(self.image_id)
            return json.dumps({"path": str(self.path), "image_id": image_id, "error": self.error})
        return printable(f"{self.path}: {self.error or self.image_id}")


Report = Callable[[UploadResult], None]


async def upload_all(target: UploadDestination, paths: Sequence[Path], as_json: bool) -> int:
    """Upload everything, printing each file's result. Returns the number of failures.

    Raises what would make all others fail, too: `Unavailable`, or `ApiProblem` without access.
    """
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every URL, also signed ones
    files, unreadable = await run_sync(find_files, paths)
    total = await run_sync(_total_size, files)
    state = await StateFile.open(target.state_file) if target.state_file else StateFile.in_memory()
    failures = 0

    def report(sent: UploadResult) -> None:
        nonlocal failures
        failures += sent.error is not None
        click.echo(sent.line(as_json=as_json), err=sent.error is not None and not as_json)

    for folder, error in unreadable.items():
        report(UploadResult(folder, error=error))
    with _bytes_bar(total) as advance:
        async with GalleryClient.open(
            target.url,
            token=target.token,
            state=state,
            parallel_parts=target.parallel_parts,
            on_duplicate=target.on_duplicate,
            policy=target.policy,
        ) as client:
            gallery_id = await client.find_or_make_gallery(target.gallery_name) if target.gallery_name else None
            await _share(files, lambda path: _upload(client, path, gallery_id, advance), report)
    return failures


async def _upload(
    client: GalleryClient, path: Path, gallery_id: UUID | None, advance: Callable[[int], None]
) -> UploadResult:
    try:
        return UploadResult(path, await client.upload(path, gallery_id=gallery_id, advance=advance))
    except ImageGalleryError as error:
        if _concerns_all(error):
            raise
        return UploadResult(path, error=error.message)
    except OSError as error:
        return UploadResult(path, error=error.strerror or "cannot be read")


def _concerns_all(error: ImageGalleryError) -> bool:
    """Whether the other files would fail, too."""
    return isinstance(error, Unavailable) or (isinstance(error, ApiProblem) and error.status == HTTPStatus.UNAUTHORIZED)


async def _share(files: Sequence[Path], upload: Callable[[Path], Awaitable[UploadResult]], report: Report) -> None:
    waiting = iter(files)
    try:
        async with anyio.create_task_group() as tasks:
            for _ in range(FILES_AT_ONCE):
                tasks.start_soon(_work, waiting, upload, report)
    except* ImageGalleryError as errors:
        raise errors.exceptions[0] from None  # an error that concerns all is raised once


async def _work(files: Iterator[Path], upload: Callable[[Path], Awaitable[UploadResult]], report: Report) -> None:
    """Upload files until none are left."""
    for path in files:
        report(await upload(path))


def _total_size(files: Sequence[Path]) -> int:
    total = 0
    for path in files:
        with suppress(OSError):  # it has disappeared; its own turn will report that
            total += path.stat().st_size
    return total


@contextmanager
def _bytes_bar(total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr, if it is a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("uploading"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=total)
        yield lambda count: progress.advance(task, count)
