"""From a file's metadata blocks to the few texts that leave the decoder process. Pure."""

from imagegallery.imaging.decoder.source import Blocks
from imagegallery.imaging.formats import iptc, xmp
from imagegallery.imaging.protocol import Notes


def read_notes(blocks: Blocks) -> Notes:
    """Never raises."""
    properties = xmp.read_properties(blocks.xmp)
    return Notes(
        xmp_times=xmp.values(properties, xmp.TIMES),
        xmp_lenses=xmp.values(properties, xmp.LENSES),
        xmp_sensitivities=xmp.values(properties, xmp.SENSITIVITIES),
        iptc_times=iptc.read_times(blocks.iptc),
        png_times=blocks.times,
    )
