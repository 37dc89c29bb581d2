"""The second request: decode once, then render a ladder of sizes. Imported only in the decoder process."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pkgutil import resolve_name

import pyvips
from attrs import define, field, frozen

from imagegallery.imaging.decoder import encoders, pixels, sight, sizes
from imagegallery.imaging.decoder.leniency import read_picture
from imagegallery.imaging.decoder.sizes import Size, TargetSize
from imagegallery.imaging.decoder.source import Decode, PictureSource
from imagegallery.imaging.decoder.vips import open_source
from imagegallery.imaging.decoder_errors import is_out_of_memory, out_of_memory
from imagegallery.imaging.limits import ImagingOptions, can_move, frame_step
from imagegallery.imaging.protocol import ANIMATED_FORMATS, Colours, Pixels, Rendition, Subject
from imagegallery.imaging.sandbox.wire import MeasureRequest, RenderAnswer, RenderReply, Request

SUSPICIOUS = 0.01
"""Bytes a pixel. Photographs have ten times as many, a picture of one colour a fifth."""


@define
class RenditionLadder:
    """Pictures of one subject in memory, each made from a larger one: upright, sRGB, ``frames`` in a strip."""

    frames: int
    rungs: dict[Size, pyvips.Image] = field(factory=dict)

    def at(self, size: Size) -> pyvips.Image:
        """The picture at this size."""
        if size not in self.rungs:
            larger = self.rungs[sizes.parent(self.rungs, size)]
            smaller = pixels.each_frame(larger, self.frames, lambda frame: pixels.resize(frame, size))
            self.rungs[size] = smaller.copy_memory()
        return self.rungs[size]

    def first_frames(self) -> "RenditionLadder":
        """A ladder of stills, made of the first frame of every rung."""
        return RenditionLadder(1, {size: pixels.frame(strip, self.frames, 0) for size, strip in self.rungs.items()})


@frozen
class _Step:
    """One rendition with its output descriptor and its size; ``moves`` if it keeps the frames."""

    rendition: Rendition
    output: int
    target: TargetSize
    moves: bool


def render(request: Request, file: int, outputs: Sequence[int], options: ImagingOptions) -> RenderAnswer:
    """Render the picture in the open ``file`` to every rendition of the request; ``outputs`` are their descriptors.

    Raises `TypeMismatch`, `BadImage`, `pyvips.Error` for what libvips cannot decode, and `OSError` if a result cannot
    be written.
    """
    source = open_source(file, request.content_type, options)
    size = sizes.turn((source.width, source.height), source.orientation)
    steps = _steps(source, size, request.renditions, outputs, options)
    measured = {each: _comfortable(size, each.pixels) for each in request.measurements}
    base = sizes.largest([(1, 1), *measured.values(), *(step.target.scaled for step in steps)])
    frames = source.frames if any(step.moves for step in steps) else 1
    every = frame_step(*base, frames, options) if frames > 1 else 1
    whole, is_truncated = read_picture(source, lambda decode: _base(decode, source, base, frames, every))
    moving = RenditionLadder(len(range(0, frames, every)), {base: whole})
    still = moving.first_frames() if frames > 1 else moving
    made = _make(steps, moving, still, options.threads)
    answers = {each.name: _measure(each, still.at(rung), size) for each, rung in measured.items()}
    return RenderAnswer(made, answers, is_truncated)


def _comfortable(size: Size, wanted: Pixels) -> Size:
    return sizes.over(size, (wanted.comfortable_side, wanted.comfortable_side))


def _steps(
    source: PictureSource, size: Size, renditions: Sequence[Rendition], outputs: Sequence[int], options: ImagingOptions
) -> list[_Step]:
    may_move = source.moves and can_move(source.width, source.height, source.frames, options)
    return [
        _Step(
            rendition,
            output,
            sizes.fit(size, rendition),
            may_move and rendition.animated and rendition.format in ANIMATED_FORMATS,
        )
        for rendition, output in zip(renditions, outputs, strict=True)
    ]


def _base(decode: Decode, source: PictureSource, size: Size, frames: int, every: int) -> pyvips.Image:
    """Decode at the smallest sufficient scale, and resize to the base size before anything costly.

    One of ``every`` frames is kept.
    """
    stored = sizes.turn(size, source.orientation)
    shrink = sizes.shrink_on_load((source.width, source.height), stored) if source.shrinks_on_load else 1
    strip = decode(shrink=shrink, frames=frames)
    # Frame by frame as they are decoded: they are never all in memory at full size.
    kept = [
        pixels.resize(pixels.frame(strip, frames, index), stored).copy_memory() for index in range(0, frames, every)
    ]
    strip = pixels.strip(kept, every)
    if source.orientation > 1:
        strip = pixels.each_frame(strip, len(kept), pixels.upright)
    shown = pixels.to_srgb(strip, source.colour).copy_memory()
    sight.check_conversion(sight.see(strip), sight.see(shown))
    return shown


def _make(
    steps: Sequence[_Step], moving: RenditionLadder, still: RenditionLadder, threads: int
) -> tuple[RenderReply, ...]:
    """Encode while the next rung is made: a thread for each picture, the largest first, since they take longest."""
    made: dict[int, Future[RenderReply]] = {}
    order = sorted(range(len(steps)), key=lambda index: steps[index].target.scaled, reverse=True)
    smallest = {steps[index].rendition.format: index for index in order}
    with ThreadPoolExecutor(max_workers=threads) as pool:
        for index in order:
            step = steps[index]
            chosen = moving if step.moves else still
            picture = _crop(chosen.at(step.target.scaled), chosen.frames, step)
            made[index] = pool.submit(
                _write, picture, chosen.frames, step, check=smallest[step.rendition.format] == index
            )
    return tuple(made[index].result() for index in range(len(steps)))


def _crop(strip: pyvips.Image, frames: int, step: _Step) -> pyvips.Image:
    """Cut every frame at the place chosen for the first one, so that the picture does not jump."""
    if step.target.final == step.target.scaled:
        return strip
    crop = step.rendition.crop or "centre"
    left, top = pixels.crop_offset(pixels.frame(strip, frames, 0), step.target.final, crop)
    return pixels.each_frame(strip, frames, lambda frame: frame.crop(left, top, *step.target.final))


def _write(strip: pyvips.Image, frames: int, step: _Step, *, check: bool) -> RenderReply:
    """Encode one rendition. Raises `OSError` if it cannot be written for other reasons than the picture.

    A fault of an encoder affects all pictures, so with ``check`` the smallest is decoded again, and so is any with
    suspiciously few bytes.
    """
    rendition = step.rendition
    try:
        data = encoders.encode(strip, rendition)
        if check or len(data) < strip.width * strip.height * SUSPICIOUS:
            _check(pixels.frame(strip, frames, 0), encoders.decode(data, rendition.format))
    except pyvips.Error as error:
        if is_out_of_memory(str(error)):
            raise out_of_memory() from error
        raise OSError(f"cannot write {rendition.name}.{rendition.format}: {error}") from error
    with open(step.output, "wb", closefd=False) as file:
        file.write(data)
    return RenderReply(*step.target.final, frames=frames)


def _check(given: pyvips.Image, made: pyvips.Image) -> None:
    sight.check_encoding(sight.see(given if made.hasalpha() else pixels.flatten(given)), sight.see(made))


def _measure(measurement: MeasureRequest, picture: pyvips.Image, size: Size) -> object:
    """Call the function that the parent names with the picture."""
    run = resolve_name(measurement.function)
    return run(Subject(*size, pixels=_small(picture, measurement.pixels)))


def _small(picture: pyvips.Image, wanted: Pixels) -> bytes:
    flat, side = pixels.flatten(picture), wanted.side
    if wanted.colours is Colours.GREY:
        return bytes(pixels.resize(flat.colourspace("b-w"), (side, side)).write_to_memory())
    light = flat.colourspace("scrgb")
    # With a gap of 1, nearly all of it is plain averages.
    small = light.resize(side / light.width, vscale=side / light.height, kernel="linear", gap=1)
    return bytes(small.write_to_memory())
