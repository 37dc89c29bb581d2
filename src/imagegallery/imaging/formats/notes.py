"""From a file's metadata blocks to the few texts that leave the decoder process. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from imagegallery.imaging.decoder.source import Blocks
from imagegallery.imaging.formats import iptc, xmp
from imagegallery.imaging.protocol import FileWords, Notes

MAX_NAMES: Final = 200
"""Tags, and people, that are read of a file."""
MAX_NAME: Final = 101
"""Characters that are read of one: more than any tag has, so that a longer one is known."""
# What sidecars of exports put galleries below (imagegallery.privacy.sidecar): no tag.
_NOT_TAGS: Final = "Galleries|"


def read_notes(blocks: Blocks) -> Notes:
    """Never raises."""
    properties = xmp.read_properties(blocks.xmp)
    datasets = iptc.read_datasets(blocks.iptc)
    return Notes(
        xmp_times=xmp.values(properties, xmp.TIMES),
        xmp_lenses=xmp.values(properties, xmp.LENSES),
        xmp_sensitivities=xmp.values(properties, xmp.SENSITIVITIES),
        iptc_times=iptc.times(datasets),
        png_times=blocks.times,
        words=_words(properties, datasets),
    )


def read_sidecar(packet: bytes) -> FileWords:
    """What a file beside a picture says of it in words. Never raises."""
    return _words(xmp.read_properties(packet), {})


def _words(properties: Mapping[str, Sequence[str]], datasets: iptc.Datasets) -> FileWords:
    tags = xmp.values_of(properties, xmp.TAGS) or [*_last_parts(properties)] or datasets.get(iptc.TAGS, ())
    people = (*xmp.values_of(properties, xmp.PEOPLE), *properties.get(xmp.FACES, ()))
    titles = [text[: xmp.MAX_TEXT] for number in iptc.TITLES for text in datasets.get(number, ())[:1]]
    descriptions = [text[: xmp.MAX_PROSE] for text in datasets.get(iptc.DESCRIPTION, ())[:1]]
    return FileWords(
        tags=_cut(tags),
        titles=(*xmp.values(properties, xmp.TITLES), *titles),
        descriptions=(*xmp.values(properties, xmp.DESCRIPTIONS), *descriptions),
        ratings=xmp.values(properties, xmp.RATINGS),
        people=_cut(people),
    )


def _last_parts(properties: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Of tags below tags the lowest, where nothing else has tags."""
    for name, separator in xmp.PATHS.items():
        for path in properties.get(name, ()):
            if not path.startswith(_NOT_TAGS):
                yield path.rpartition(separator)[2]


def _cut(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name[:MAX_NAME] for name in names[:MAX_NAMES])
