"""What it costs to take metadata out of a file, beside reading and writing it.

    python benchmarks/removal.py PHOTO ...

Each file is copied as it is, without its place and without all metadata, block by block from memory to nowhere, as the
decoder process does it; ratios are of medians of the rounds, which take turns.
"""

import io
import statistics
import time
from collections.abc import Iterable
from pathlib import Path

import click

from imagegallery.imaging.protocol import Removal
from imagegallery.imaging.removal.pieces import Piece, SourceBytes, write
from imagegallery.imaging.removal.removal import pieces


@click.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--rounds", default=15, show_default=True)
def main(photos: tuple[Path, ...], rounds: int) -> None:
    for photo in photos:
        content = photo.read_bytes()
        seconds: dict[str, list[float]] = {"copy": [], **{removal.value: [] for removal in Removal}}
        for _ in range(rounds):
            seconds["copy"].append(_timed(content, [SourceBytes(0, len(content))]))
            for removal in Removal:
                seconds[removal].append(_timed(content, None, removal))
        medians = {name: statistics.median(times) for name, times in seconds.items()}
        size = len(content) / 2**20
        told = ", ".join(f"{name} {1e3 * each / size:.2f} ms/MB" for name, each in medians.items())
        ratios = ", ".join(f"{removal} {medians[removal] / medians['copy']:.1f}x" for removal in Removal)
        click.echo(f"{photo.name} ({size:.1f} MB): {told}; of the copy: {ratios}")


def _timed(content: bytes, planned: Iterable[Piece] | None, removal: Removal = Removal.STRIP_ALL) -> float:
    out = io.BytesIO()
    begun = time.perf_counter()
    write(content, planned if planned is not None else pieces(content, removal), out)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
