"""Write who is shown what of an image and a gallery: ``python docs/shown_table.py [--check]``."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

import attrs

import made_page
from imagegallery.access.audience import Audience
from imagegallery.access.disclosure import EVERYBODYS, OWNERS, Disclosure, MetaOptions
from imagegallery.access.grant import DownloadAllowed, MetadataShown
from imagegallery.images.metadata.capture_time import TakenAtSource
from imagegallery.images.metadata.metadata import Metadata
from imagegallery.images.presentation.disclosed import disclosed
from imagegallery.testing.values import MADE_AT, make_image
from imagegallery_asgi.api.documents import image_detail
from imagegallery_asgi.api.responses.images import ImageDetail

PAGE = Path(__file__).parent / "explanation" / "access.md"
TABLE = re.compile(r"(?<=<!-- python docs/shown_table.py -->\n).*?(?=<!-- end of table -->)", re.DOTALL)

META: Final = MetaOptions(public=("event",))
LEVELS: Final[Mapping[str, Disclosure]] = {
    "its owner": OWNERS,
    "everybody, of a public one": EVERYBODYS,
    **{
        f"a share of `metadata: {level.name.lower()}`": Disclosure(Audience.SHARED, level, DownloadAllowed.NONE)
        for level in reversed(MetadataShown)
    },
}
# One that has everything there is to tell.
WHOLE: Final = make_image(
    metadata=Metadata(make="Canon", latitude=38.7, longitude=-9.1, altitude=61.0),
    latitude=38.7,
    longitude=-9.1,
    taken_at=MADE_AT - timedelta(days=9),
    taken_at_source=TakenAtSource.EXIF_ORIGINAL,
    updated_at=MADE_AT + timedelta(days=1),
    is_favorite=True,
    is_archived=True,
    policy="avatar",
    meta={"event": "wedding", "note": "mine"},
    tags=("tram",),
    title="Line 28",
    description="Up to the castle.",
    rating=4,
    people=("Ana",),
)


def told(shown: Disclosure) -> ImageDetail:
    """The document of it, as it is shown."""
    meta = META.shown(WHOLE.meta, shown)
    image = attrs.evolve(disclosed(WHOLE, shown), audience=shown.audience, disclosure=shown, meta=meta)
    return image_detail(image, "")


def rows() -> Iterator[str]:
    """The fields that not everybody is shown, and how each is shown to whom."""
    documents = [told(shown) for shown in LEVELS.values()]
    for name in (each.name for each in attrs.fields(ImageDetail)):
        whole, *others = (getattr(each, name) for each in documents)
        if any(other != whole for other in others):
            yield "| " + " | ".join((f"`{name}`", *(_cell(each, whole) for each in (whole, *others)))) + " |"


def _cell(value: object, whole: object) -> str:
    if value == whole:
        return "yes"
    return "in part" if value and (isinstance(value, dict) or attrs.has(type(value))) else "no"


def page() -> str:
    """The page as it ought to be."""
    head = "| | " + " | ".join(LEVELS) + " |\n|---|" + "---|" * len(LEVELS)
    table = "\n".join([head, *rows(), ""])
    return TABLE.sub(lambda _: table, PAGE.read_text())


if __name__ == "__main__":
    made_page.main(PAGE, page())
