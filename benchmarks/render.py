"""Six default variants (all but the small AVIF), BlurHash and EXIF of photographs: ours against sharp's plain code.

    npm install --prefix SHARP sharp && pip install ssimulacra2
    python benchmarks/render.py --sharp SHARP PHOTO...

Prints, for each photograph, the ratios of time, bytes and peak memory, and each variant's SSIMULACRA2; see README.md
beside this file. Only ratios of one run mean something: the two are measured in turns, on the same machine.
"""

import importlib
import importlib.util
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import anyio
import click
from attrs import frozen
from PIL import Image, ImageOps

from imagegallery.analyses.placeholder import PLACEHOLDER
from imagegallery.images.metadata.metadata import read_metadata
from imagegallery.imaging.limits import DEFAULT_AVIF_EFFORT, DEFAULT_WEBP_EFFORT
from imagegallery.imaging.protocol import Rendition
from imagegallery.imaging.sandbox.engine import SandboxedEngine

RENDITIONS = (
    Rendition("thumbnail", 80, 80, "webp", 70, DEFAULT_WEBP_EFFORT, crop="centre"),
    Rendition("small", 300, 300, "webp", 75, DEFAULT_WEBP_EFFORT),
    Rendition("medium", 800, 800, "webp", 80, DEFAULT_WEBP_EFFORT),
    Rendition("large", 1920, 1920, "webp", 85, DEFAULT_WEBP_EFFORT),
    Rendition("medium", 800, 800, "avif", 65, DEFAULT_AVIF_EFFORT),
    Rendition("large", 1920, 1920, "avif", 70, DEFAULT_AVIF_EFFORT),
)
NAMES = tuple(f"{rendition.name}.{rendition.format}" for rendition in RENDITIONS)
SHARP_SCRIPT = Path(__file__).with_name("sharp_render.mjs")


@frozen
class Run:
    """One run: seconds by the clock and of the processor, peak bytes of its processes, bytes of each variant."""

    seconds: float
    cpu: float
    peak: int
    sizes: Mapping[str, int]


@frozen
class Comparison:
    """Both sides' runs over one photograph and, where it could be measured, each variant's SSIMULACRA2."""

    ours: Run
    sharp: Run
    quality: Mapping[str, tuple[float, float]]


@click.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--sharp", "sharp_home", type=click.Path(exists=True, path_type=Path), help="Where sharp is installed.")
@click.option("--rounds", default=3, show_default=True, help="Runs of each, in turns.")
@click.option("--ours-into", type=click.Path(exists=True, path_type=Path), hidden=True)
@click.option("--judge", nargs=2, type=click.Path(exists=True, path_type=Path), hidden=True)
def main(
    photos: tuple[Path, ...],
    sharp_home: Path | None,
    rounds: int,
    ours_into: Path | None,
    judge: tuple[Path, Path] | None,
) -> None:
    """Measure PHOTOS, which are JPEG files."""
    if ours_into is not None:
        click.echo(json.dumps(render_in_this_process(photos[0], ours_into)))
        return
    if judge is not None:
        click.echo(json.dumps(quality(photos[0], *judge)))
        return
    if sharp_home is None:
        raise click.UsageError("--sharp is needed: a directory in which `npm install sharp` was run")
    for photo in photos:
        report(photo, compare(photo, sharp_home, rounds))


def render_in_this_process(photo: Path, into: Path) -> dict[str, float]:
    """What `imagegallery render` does, cold: a child is started, inspects, renders, ends."""
    started = time.perf_counter()
    anyio.run(_render, photo, into)
    seconds = time.perf_counter() - started
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "seconds": seconds,
        "cpu": sum(usage.ru_utime + usage.ru_stime for usage in usages),
        "peak": sum(usage.ru_maxrss for usage in usages) * (1 if sys.platform == "darwin" else 1024),
    }


async def _render(photo: Path, into: Path) -> None:
    async with SandboxedEngine.open() as engine:
        inspection = await engine.inspect(photo, content_type="image/jpeg", decode=False)
        read_metadata(inspection.exif, inspection.notes)
        await engine.render(photo, RENDITIONS, into, content_type="image/jpeg", measurements=PLACEHOLDER.measurements)


def compare(photo: Path, sharp_home: Path, rounds: int) -> Comparison:
    """Run both in turns, then judge the last outputs."""
    with tempfile.TemporaryDirectory() as directory:
        outs = Path(directory, "ours"), Path(directory, "sharp")
        for out in outs:
            out.mkdir()
        commands: tuple[list[str | Path], list[str | Path]] = (
            [sys.executable, __file__, "--ours-into", outs[0], photo],
            ["node", SHARP_SCRIPT, sharp_home, photo, outs[1]],
        )
        runs: tuple[list[Run], list[Run]] = ([], [])
        for _ in range(rounds):
            for collected, command, out in zip(runs, commands, outs, strict=True):
                collected.append(run(command, out))
        # In a process of its own: a child inherits the peak of its parent (getrusage(2)), and judging takes memory.
        judged = output([sys.executable, __file__, "--judge", outs[0], outs[1], photo])
        return Comparison(summary(runs[0]), summary(runs[1]), json.loads(judged))


def output(command: Sequence[str | Path]) -> str:
    """The last line that a command prints."""
    parts = [str(part) for part in command]
    return subprocess.run(parts, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]


def run(command: Sequence[str | Path], out: Path) -> Run:
    """One run of either side, which prints its seconds and its peak."""
    measured = json.loads(output(command))
    sizes = {name: (out / name).stat().st_size for name in NAMES}
    return Run(measured["seconds"], measured["cpu"], measured["peak"], sizes)


def summary(runs: Sequence[Run]) -> Run:
    """Medians of the times, the highest peak, the last sizes (they do not vary)."""
    return Run(
        seconds=statistics.median(each.seconds for each in runs),
        cpu=statistics.median(each.cpu for each in runs),
        peak=max(each.peak for each in runs),
        sizes=runs[-1].sizes,
    )


def quality(photo: Path, ours: Path, sharp: Path) -> dict[str, tuple[float, float]]:
    """SSIMULACRA2 of each variant, ours and sharp's, against a third party's rendering of the same size.

    The reference is Pillow's: full decode, orientation, Lanczos, no compression. Empty without `ssimulacra2`.
    """
    if importlib.util.find_spec("ssimulacra2") is None:
        return {}
    score = importlib.import_module("ssimulacra2").compute_ssimulacra2
    scores = {}
    with tempfile.TemporaryDirectory() as directory, Image.open(photo) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
        for rendition, name in zip(RENDITIONS, NAMES, strict=True):
            pngs = [Path(directory, f"{side}-{name}.png") for side in ("reference", "ours", "sharp")]
            reference(picture, rendition).save(pngs[0])
            for variant, png in zip((ours / name, sharp / name), pngs[1:], strict=True):
                with Image.open(variant) as decoded:
                    decoded.convert("RGB").save(png)
            scores[name] = (float(score(pngs[0], pngs[1])), float(score(pngs[0], pngs[2])))
    return scores


def reference(picture: Image.Image, rendition: Rendition) -> Image.Image:
    box = rendition.width, rendition.height
    if rendition.crop:
        return ImageOps.fit(picture, box, Image.Resampling.LANCZOS)
    scale = min(1.0, box[0] / picture.width, box[1] / picture.height)
    size = round(picture.width * scale), round(picture.height * scale)
    return picture.resize(size, Image.Resampling.LANCZOS)


def report(photo: Path, measured: Comparison) -> None:
    ours, sharp = measured.ours, measured.sharp
    with Image.open(photo) as picture:
        click.echo(f"\n{photo.name}: {picture.width} x {picture.height}")
    for label, unit, here, there in (
        ("time", "s", ours.seconds, sharp.seconds),
        ("processor time", "s", ours.cpu, sharp.cpu),
        ("peak memory", "MB", ours.peak / 1e6, sharp.peak / 1e6),
    ):
        click.echo(f"  {label:15}{here:10.2f} {unit:2}sharp {there:10.2f} {unit:2} {there / here:5.1f}x less")
    rows = {"all": (sum(ours.sizes.values()), sum(sharp.sizes.values()))}
    rows.update({name: (ours.sizes[name], sharp.sizes[name]) for name in NAMES})
    for name, (here, there) in rows.items():
        line = f"  {name:15}{here:10} B sharp {there:10} B  {here / there:5.2f} of it"
        if name in measured.quality:
            mine, theirs = measured.quality[name]
            line += f"   SSIMULACRA2 {mine:5.1f}, sharp {theirs:5.1f}: {mine - theirs:+.1f}"
        click.echo(line)


if __name__ == "__main__":
    main()
