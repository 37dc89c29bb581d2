"""The variants of a file in a folder, without database or service: for scripts and static sites."""

import hashlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import quote

from anyio import CancelScope, to_thread
from attrs import asdict, frozen

from imagegallery.analyses.placeholder import PLACEHOLDER
from imagegallery.images.image.image import Variant
from imagegallery.images.metadata.metadata import Metadata, read_metadata, to_json
from imagegallery.images.presentation.responsive import Responsive, describe
from imagegallery.imaging.protocol import ImagingEngine, RenderedFile
from imagegallery.variants.plan import PlannedVariant, plan
from imagegallery.variants.preset import Preset
from imagegallery.variants.work import no_smaller

_MAX_STEM_BYTES = 180  # with a preset's name and a format behind it, still a file name


@frozen
class RenderedImage:
    """The result for one file. Sizes are in pixels, as the image is seen.

    A variant's ``key`` is its file's name in the folder, its ``url`` the same as a relative URL. ``metadata`` includes
    the place, if the camera recorded it; the variants contain no metadata.
    """

    content_type: str
    width: int
    height: int
    frames: int
    is_truncated: bool
    blurhash: str | None
    metadata: Metadata
    variants: tuple[Variant, ...]
    responsive: Responsive

    def to_json(self) -> dict[str, object]:
        """All of it as a JSON object."""
        return {
            "content_type": self.content_type,
            "width": self.width,
            "height": self.height,
            "frames": self.frames,
            "is_truncated": self.is_truncated,
            "blurhash": self.blurhash,
            "metadata": to_json(self.metadata),
            "variants": [_variant_json(variant) for variant in self.variants],
            "src": self.responsive.src,
            "srcSet": self.responsive.src_set,
            "sources": [{"type": source.type, "srcSet": source.src_set} for source in self.responsive.sources],
            "sizes": dict(self.responsive.sizes),
        }


async def render_file(
    engine: ImagingEngine,
    path: Path,
    into: Path,
    presets: Sequence[Preset],
    *,
    content_type: str,
    stem: str | None = None,
) -> RenderedImage:
    """Make every variant of the file ``path`` in the folder ``into``, creating it if needed.

    Files are named ``{stem}-{variant}.{format}`` (``stem`` is the source's own by default), appear whole and replace
    existing ones. A variant that is no smaller than the same picture in a more widely shown format is left out, and its
    file removed. Raises `OSError` if a file cannot be read or written, and as `ImagingEngine.inspect` if ``path`` is no
    image of type ``content_type``; then nothing is added to the folder.
    """
    sha256 = await to_thread.run_sync(_sha256, path)
    seen = await engine.inspect(path, content_type=content_type, decode=False)  # rendering does
    planned = plan(seen.width, seen.height, seen.frames, sha256, presets)

    def name_of(each: PlannedVariant) -> str:
        return f"{_file_stem(stem or path.stem)}-{each.name}"

    async with _drafts(into) as drafts:
        renditions = tuple(each.rendition for each in planned)
        rendered = await engine.render(
            path, renditions, drafts, content_type=content_type, measurements=PLACEHOLDER.measurements
        )
        blurhash = str(rendered.measured[PLACEHOLDER.name])
        by_name = {file.name: file for file in rendered.files}
        files = {each: by_name[each.rendition.name] for each in planned}
        left_out = no_smaller(planned, {each.fingerprint: file.size for each, file in files.items()})
        kept = [each for each in planned if each not in left_out]
        moves = {files[each].path: into / name_of(each) for each in kept}
        await to_thread.run_sync(_publish, moves, [into / name_of(each) for each in left_out])
    variants = tuple(_variant(each, files[each], name_of(each)) for each in kept)
    return RenderedImage(
        content_type=content_type,
        width=seen.width,
        height=seen.height,
        frames=seen.frames,
        is_truncated=rendered.is_truncated,
        blurhash=blurhash,
        metadata=read_metadata(seen.exif, seen.notes),
        variants=variants,
        responsive=describe(variants, width=seen.width, height=seen.height),
    )


@asynccontextmanager
async def _drafts(into: Path) -> AsyncIterator[Path]:
    """A folder inside ``into``, so that a file can be renamed out of it; removed afterwards."""
    path = await to_thread.run_sync(_make_drafts, into)
    try:
        yield path
    finally:
        with CancelScope(shield=True):
            await to_thread.run_sync(partial(shutil.rmtree, path, ignore_errors=True))


def _make_drafts(into: Path) -> Path:
    into.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=".rendering-", dir=into))


def _publish(moves: Mapping[Path, Path], absent: Sequence[Path]) -> None:
    for draft, target in moves.items():
        draft.replace(target)
    for path in absent:
        path.unlink(missing_ok=True)


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _file_stem(stem: str) -> str:
    """``stem`` as UTF-8 and short enough for a file name with what follows it."""
    return stem.encode(errors="replace")[:_MAX_STEM_BYTES].decode(errors="ignore")


def _variant(planned: PlannedVariant, file: RenderedFile, name: str) -> Variant:
    return Variant(
        variant_type=planned.variant_type,
        format=planned.format,
        key=name,
        width=file.width,
        height=file.height,
        file_size=file.size,
        fingerprint=planned.fingerprint,
        frames=file.frames,
        url=quote(name),
    )


def _variant_json(variant: Variant) -> dict[str, object]:
    members = asdict(variant)
    return {"file": members.pop("key"), **members}
