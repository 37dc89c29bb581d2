"""The limits of an image: the options of this package, and decisions on a header before decoding. Pure."""

import json
import math
import os
from datetime import timedelta

from attrs import asdict, field, frozen, validators

from imagegallery.errors import BadImage

DEFAULT_WEBP_EFFORT = 4
"""libwebp's method, 0 to 6: its default; more saves few bytes for twice the time (`benchmarks/encoders.py`)."""

DEFAULT_AVIF_EFFORT = 1
"""libaom's effort, 0 to 9. The default, 4, takes many times as long; the gain depends on the picture, and is largest
for smooth ones
(`benchmarks/encoders.py`).
"""


@frozen
class ImagingOptions:
    """Limits for one decode, and for the number of child processes.

    ``max_pixels``: of one frame. The largest phone sensors make 16320 x 12240 (199.8 megapixels), so they pass and the
    16384 x 16384 of the usual bombs does not. ``max_frames``: 40 s of animation at 25 frames a second.
    ``max_animation_pixels``: width x height x frames of a variant; a larger animation loses frames. A full budget takes
    some 15 s of a processor to encode twice. An animation of more than `DECODED_TIMES` as many pixels becomes a still
    picture. ``max_scans``: of a progressive JPEG. Cameras and optimizers write about ten, and each makes its decoder
    process the whole picture, however few bytes it has. ``memory_limit``: bytes of a child, enforced by the kernel.
    ``deadline``: for one request about a picture of ``max_pixels``, or an animation of the most pixels; smaller ones
    have less, down to a quarter of it. ``threads``: of one child. ``recycle_after``: requests after which a child is
    replaced. ``max_waiting``: requests that may wait for a child, those of different owners in turn; of one owner,
    ``max_waiting_per_owner``. Further ones are refused, to be retried later.
    """

    max_pixels: int = field(default=200_000_000, validator=validators.ge(1))
    max_frames: int = field(default=1_000, validator=validators.ge(1))
    max_animation_pixels: int = field(default=64_000_000, validator=validators.ge(0))
    max_scans: int = field(default=64, validator=validators.ge(1))
    memory_limit: int = field(default=2 * 1024**3, validator=validators.ge(128 * 1024**2))
    deadline: timedelta = field(default=timedelta(seconds=60), validator=validators.gt(timedelta(0)))
    processes: int = field(default=2, validator=validators.ge(1))
    threads: int = field(factory=lambda: min(os.cpu_count() or 1, 4), validator=validators.ge(1))
    recycle_after: int = field(default=100, validator=validators.ge(1))
    max_waiting: int = field(default=512, validator=validators.ge(0))
    max_waiting_per_owner: int = field(default=64, validator=validators.ge(0))


DECODED_TIMES = 4
"""Decoding a frame costs at least this much less than encoding it."""

FORMATS = ("webp", "avif", "jpeg", "png")
"""The formats that can be encoded."""


TOO_MUCH = frozenset({"too_many_pixels", "too_many_frames", "too_many_scans"})
"""The reasons of `BadImage` for a picture that would cost too much, whatever else there is in it."""


def to_json(options: ImagingOptions) -> str:
    """For the command line of a child."""
    return json.dumps({**asdict(options), "deadline": options.deadline.total_seconds()})


def from_json(text: str) -> ImagingOptions:
    """The inverse of `to_json`."""
    values = json.loads(text)
    return ImagingOptions(**{**values, "deadline": timedelta(seconds=values["deadline"])})


def check_header(width: int, height: int, frames: int, options: ImagingOptions) -> None:
    """Refuse what would cost too much. Sizes are in pixels of one frame. Raises `BadImage`."""
    if width < 1 or height < 1:
        raise BadImage("undecodable", "The picture has no pixels.")
    if width * height > options.max_pixels:
        raise BadImage(
            "too_many_pixels",
            f"The picture has {width} x {height} pixels; at most {options.max_pixels:,} are accepted.",
            limit=options.max_pixels,
        )
    if frames > options.max_frames:
        raise BadImage(
            "too_many_frames",
            f"The animation has {frames} frames; at most {options.max_frames} are accepted.",
            limit=options.max_frames,
        )


def check_scans(*, has_more: bool, options: ImagingOptions) -> None:
    """Refuse a JPEG of more than ``max_scans``. Raises `BadImage`."""
    if has_more:
        raise BadImage(
            "too_many_scans",
            f"The picture is sent in too many passes: at most {options.max_scans} are accepted.",
            limit=options.max_scans,
        )


def shortest_deadline(options: ImagingOptions) -> timedelta:
    """The deadline for the smallest picture, and for reading a header."""
    return options.deadline / 4


def deadline_for(width: int, height: int, frames: int, options: ImagingOptions) -> timedelta:
    """How long one request about such a picture may take: the deadline above the shortest grows with the pixels."""
    share = width * height / options.max_pixels
    if can_move(width, height, frames, options):
        share = max(share, width * height * frames / options.max_animation_pixels)
    shortest = shortest_deadline(options)
    return shortest + min(share, 1.0) * (options.deadline - shortest)


def can_move(width: int, height: int, frames: int, options: ImagingOptions) -> bool:
    """Whether all frames are decoded; otherwise the first one replaces the animation."""
    return frames > 1 and width * height * frames <= DECODED_TIMES * options.max_animation_pixels


def frame_step(width: int, height: int, frames: int, options: ImagingOptions) -> int:
    """The step between kept frames of an animation that `can_move`, for a variant of this size: 1 keeps all."""
    return max(1, math.ceil(width * height * frames / options.max_animation_pixels))
