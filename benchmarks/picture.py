"""What a `<picture>` costs beside an `<img>`: bytes of the files that a browser takes, of photographs, by DPR.

    python benchmarks/picture.py PHOTO...

Each photograph is rendered by the default presets. A browser that shows AVIF takes of its `sources` or, in a plain
`<img>`, of its `srcSet` the file for a slot of so many CSS pixels, as Chromium chooses. Prints the ratio of all bytes,
and how many AVIF files were made and how many of them are smaller than the WebP of their size.
"""

import tempfile
from collections.abc import Mapping, Sequence
from math import sqrt
from pathlib import Path

import anyio
import click

from imagegallery import Settings
from imagegallery.backends import open_renderer
from imagegallery.variants.plan import plan
from imagegallery.variants.render import RenderedImage

SLOTS = {"tiles, 1440 px wide": 288, "masonry, 1440 px wide": 360, "phone, 390 px wide": 390, "slideshow": 1440}
RATIOS = (1, 2)

Candidates = Sequence[tuple[int, int]]
"""Width in pixels and bytes of each candidate, the narrowest first."""


@click.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(photos: tuple[Path, ...]) -> None:
    """Measure PHOTOS."""
    rendered = anyio.run(render, photos)
    planned = sum(len(avif_names(each)) for each in rendered)
    kept = sum(variant.format == "avif" for each in rendered for variant in each.variants)
    click.echo(f"{len(rendered)} photographs, {planned} AVIF files, of which {kept} are smaller than their WebP\n")
    click.echo("| slot | DPR | `<img>` | `<picture>` | ratio |\n|---|---|---|---|---|")
    for slot, width in SLOTS.items():
        for ratio in RATIOS:
            img = sum(choose(candidates(each, each.responsive.src_set), width, ratio) for each in rendered)
            picture = sum(choose(candidates(each, first_source(each)), width, ratio) for each in rendered)
            click.echo(f"| {slot} | {ratio} | {img:,} | {picture:,} | {picture / img:.2f} |")


async def render(photos: Sequence[Path]) -> list[RenderedImage]:
    with tempfile.TemporaryDirectory() as directory:
        async with open_renderer(Settings()) as renderer:
            return [await renderer.render(photo, Path(directory)) for photo in photos]


def avif_names(image: RenderedImage) -> list[str]:
    planned = plan(image.width, image.height, image.frames, bytes(32), Settings().variants.all_presets)
    return [each.name for each in planned if each.format == "avif"]


def first_source(image: RenderedImage) -> str:
    """What a browser that shows everything takes: the first source, or the `<img>` inside."""
    sources = image.responsive.sources
    return sources[0].src_set if sources else image.responsive.src_set


def candidates(image: RenderedImage, src_set: str) -> Candidates:
    sizes: Mapping[str, int] = {variant.url: variant.file_size for variant in image.variants}
    parts = [part.split(" ") for part in src_set.split(", ")]
    return [(int(width.removesuffix("w")), sizes[url]) for url, width in parts]


def choose(offered: Candidates, slot: int, ratio: int) -> int:
    """The bytes of the candidate that Chromium takes: the first that is dense enough, or the one before it if that is
    nearer to the ratio (by their geometric mean) and the screen is a dense one."""
    densities = [width / slot for width, _ in offered]
    for index in range(len(offered) - 1):
        here, following = densities[index], densities[index + 1]
        if following >= ratio:
            takes_next = (ratio <= 1 and ratio > here) or ratio >= sqrt(here * following)
            return offered[index + takes_next][1]
    return offered[-1][1]


if __name__ == "__main__":
    main()
