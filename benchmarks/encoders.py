"""What an encoder's effort buys: seconds, bytes and SSIMULACRA2 of large variants, by format, effort and bit depth.

    pip install ssimulacra2 scipy
    python benchmarks/encoders.py PHOTO...

Prints a table of Markdown: each figure is the lowest and the highest over the photographs, bytes and quality against
the libraries' default effort of the same format (eight bits). The settings chosen in `imagegallery.imaging.limits` are
bold.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import pyvips
from attrs import frozen
from pyvips.enums import ForeignKeep
from ssimulacra2 import compute_ssimulacra2

from imagegallery.imaging.limits import DEFAULT_AVIF_EFFORT, DEFAULT_WEBP_EFFORT

LARGE = 1920


@frozen
class Setting:
    """``effort`` is the encoder's own scale; ``bits`` are per channel inside the encoder."""

    format: str
    effort: int
    bits: int = 8

    @property
    def is_chosen(self) -> bool:
        return self in (Setting("avif", DEFAULT_AVIF_EFFORT, 10), Setting("webp", DEFAULT_WEBP_EFFORT))

    def save(self, picture: pyvips.Image, path: Path) -> None:
        if self.format == "webp":
            picture.webpsave(str(path), Q=85, effort=self.effort, keep=ForeignKeep.NONE)
            return
        picture.heifsave(
            str(path),
            Q=70,
            effort=self.effort,
            compression="av1",
            bitdepth=self.bits,
            subsample_mode="off",
            keep=ForeignKeep.NONE,
        )


@frozen
class Result:
    seconds: float
    size: int
    quality: float


DEFAULTS = {"avif": Setting("avif", 4), "webp": Setting("webp", 4)}
SETTINGS = (
    *(Setting("avif", effort) for effort in range(5)),
    *(Setting("avif", effort, 10) for effort in (0, 1, 2)),
    *(Setting("webp", effort) for effort in (0, 1, 2, 4, 6)),
)


@click.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(photos: tuple[Path, ...]) -> None:
    """Measure PHOTOS."""
    pyvips.cache_set_max(0)
    by_photo = [measure(photo) for photo in photos]
    click.echo("| encoder | seconds | bytes, default effort = 1 | SSIMULACRA2 against the same |\n|---|---|---|---|")
    for setting in SETTINGS:
        click.echo(row(setting, [results[setting] for results in by_photo], by_photo))


def measure(photo: Path) -> dict[Setting, Result]:
    picture = pyvips.Image.thumbnail(str(photo), LARGE, height=LARGE, size="down").copy_memory()
    with tempfile.TemporaryDirectory() as directory:
        reference = Path(directory, "reference.png")
        picture.pngsave(str(reference), keep=ForeignKeep.NONE)
        return {setting: encode(picture, setting, reference) for setting in SETTINGS}


def encode(picture: pyvips.Image, setting: Setting, reference: Path) -> Result:
    path = reference.with_name(f"encoded.{setting.format}")
    started = time.perf_counter()
    setting.save(picture, path)
    seconds = time.perf_counter() - started
    decoded = path.with_suffix(".png")
    pyvips.Image.new_from_file(str(path)).pngsave(str(decoded), keep=ForeignKeep.NONE)
    return Result(seconds, path.stat().st_size, compute_ssimulacra2(str(reference), str(decoded)))


def row(setting: Setting, results: Sequence[Result], by_photo: Sequence[dict[Setting, Result]]) -> str:
    defaults = [results_of[DEFAULTS[setting.format]] for results_of in by_photo]
    pairs = list(zip(results, defaults, strict=True))
    cells = (
        span(result.seconds for result in results),
        span(result.size / default.size for result, default in pairs),
        span((result.quality - default.quality for result, default in pairs), sign=True),
    )
    name = f"{setting.format} effort {setting.effort}" + (", 10 bits" if setting.bits == 10 else "")
    return f"| {'**' + name + '**' if setting.is_chosen else name} | {' | '.join(cells)} |"


def span(figures: Iterator[float], *, sign: bool = False) -> str:
    """``low to high``, with two decimals (one with a sign)."""
    values = sorted(figures)
    shown = [f"{value:+.1f}" if sign else f"{value:.2f}" for value in (values[0], values[-1])]
    return shown[0] if shown[0] == shown[1] else " to ".join(shown)


if __name__ == "__main__":
    main()
