"""Draws the icons of the page: rows of pictures, as its grid has them.

    python docs/page_icons.py

`icon.svg` has a corner of its own; the PNG files, which systems cut to a circle or a squircle themselves, fill their
square and keep what is drawn inside the safe zone (W3C, Web App Manifest, "Icon masks": a circle of 80 %).
"""

from collections.abc import Iterator
from pathlib import Path

import pyvips
from attrs import frozen

FOLDER = Path(__file__).parents[1] / "src" / "imagegallery_asgi" / "page" / "app" / "icons"
PAPER, INK, ACCENT = "#faf8f5", "#24211d", "#b4472b"
SIDE = 512
GAP = 18
CORNER = 14
# Each row: its height and the widths of its pictures, in shares; the one that has the sun is the accent.
ROWS = ((0.42, (0.36, 0.64)), (0.58, (0.62, 0.38)))
WITH_SUN = (1, 0)


@frozen
class Icon:
    """``inner`` is the share of the side that the rows take; ``corner`` is that of the ground, in pixels."""

    name: str
    size: int
    inner: float
    corner: int = 0


ICONS = (
    Icon("icon-192.png", 192, 0.56),
    Icon("icon-512.png", 512, 0.56),
    Icon("icon-180.png", 180, 0.6),
)
DRAWN = Icon("icon.svg", SIDE, 0.66, 108)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / DRAWN.name).write_text(drawing(DRAWN))
    for icon in ICONS:
        picture = pyvips.Image.svgload_buffer(drawing(icon).encode(), scale=icon.size / SIDE)
        picture.flatten().pngsave(str(FOLDER / icon.name), palette=True, effort=10)


def drawing(icon: Icon) -> str:
    """The icon as SVG."""
    shapes = "".join(_rows(icon.inner))
    ground = f'<rect width="{SIDE}" height="{SIDE}" rx="{icon.corner}" fill="{PAPER}"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}">{ground}{shapes}</svg>\n'


def _rows(inner: float) -> Iterator[str]:
    whole = SIDE * inner
    top = (SIDE - whole) / 2
    for row, (share, widths) in enumerate(ROWS):
        height = (whole - GAP) * share
        left = (SIDE - whole) / 2
        for column, part in enumerate(widths):
            width = (whole - GAP) * part
            has_sun = (row, column) == WITH_SUN
            yield (
                f'<rect x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" height="{height:.0f}" rx="{CORNER}" '
                f'fill="{ACCENT if has_sun else INK}"/>'
            )
            if has_sun:
                radius = height * 0.15
                yield (
                    f'<circle cx="{left + width - 2.1 * radius:.0f}" cy="{top + 2.1 * radius:.0f}" r="{radius:.0f}" '
                    f'fill="{PAPER}"/>'
                )
            left += width + GAP
        top += height + GAP


if __name__ == "__main__":
    main()
