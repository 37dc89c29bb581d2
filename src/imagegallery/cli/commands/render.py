"""``imagegallery render``: write photographs' variants to a folder, without database or service."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import anyio
import click
from attrs import frozen

from imagegallery.backends import open_renderer
from imagegallery.cli.options import config_option
from imagegallery.cli.output import say
from imagegallery.cli.progress import progress_bar
from imagegallery.errors import ImageGalleryError
from imagegallery.settings import Settings
from imagegallery.variants.render import RenderedImage
from imagegallery.variants.service import VariantService


@frozen
class PhotoResult:
    """The variants of one photograph, or why there are none."""

    path: Path
    rendered: RenderedImage | None = None
    error: str | None = None

    def to_json(self) -> dict[str, object]:
        described = self.rendered.to_json() if self.rendered else {"error": self.error}
        return {"source": str(self.path), **described}


@click.command("render")
@click.argument("photos", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="The folder to write to.")
@click.option("--json", "as_json", is_flag=True, help="Print BlurHash, metadata and files as JSON.")
@config_option
def render_command(photos: tuple[Path, ...], out: Path, as_json: bool, config: Path | None) -> int:
    """Write the variants of each photograph to a folder."""
    results = anyio.run(_render_all, Settings.from_env(config), photos, out)
    if as_json:
        click.echo(json.dumps([result.to_json() for result in results], indent=2))
    else:
        for file in _files(results):
            say(out / file)
    failures = [result for result in results if result.error]
    for result in failures:
        say(f"{result.path}: {result.error}", err=True)
    return 1 if failures else 0


async def _render_all(settings: Settings, photos: tuple[Path, ...], out: Path) -> list[PhotoResult]:
    results: dict[Path, PhotoResult] = {}
    sources = tuple(dict.fromkeys(photos))
    turns = anyio.CapacityLimiter(settings.imaging.processes)
    with progress_bar("rendering", total=len(sources)) as advance:
        async with open_renderer(settings) as variants, anyio.create_task_group() as tasks:

            async def render(path: Path, stem: str) -> None:
                async with turns:
                    results[path] = await _render_one(variants, path, out, stem)
                    advance()

            for path, stem in zip(sources, unique_stems(sources), strict=True):
                tasks.start_soon(render, path, stem)
    return [results[path] for path in sources]


async def _render_one(variants: VariantService, path: Path, out: Path, stem: str) -> PhotoResult:
    try:
        return PhotoResult(path, await variants.render(path, out, stem=stem))
    except ImageGalleryError as error:
        return PhotoResult(path, error=error.message)
    except OSError as error:
        return PhotoResult(path, error=error.strerror or "cannot be read")


def unique_stems(paths: Iterable[Path]) -> Iterator[str]:
    """The prefix of each photograph's files: its name, with a number if it occurred before."""
    taken: set[str] = set()
    for path in paths:
        stem = _first_free(path.stem, taken.__contains__)
        taken.add(stem)
        yield stem


def _first_free(stem: str, is_taken: Callable[[str], bool]) -> str:
    number, candidate = 1, stem
    while is_taken(candidate):
        number += 1
        candidate = f"{stem}-{number}"
    return candidate


def _files(results: Iterable[PhotoResult]) -> Iterator[str]:
    for result in results:
        if result.rendered is not None:
            yield from (variant.key for variant in result.rendered.variants)
