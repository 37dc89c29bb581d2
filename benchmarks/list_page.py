"""What a page of a list weighs and takes: bytes an image, as JSON and by gzip, and the time of a page that is not kept.

::

    python -m benchmarks.list_page [--images 100] [--rounds 30] [--private]

A gallery of so many images with six variants and what a camera writes each, over an embedded PostgreSQL. It is asked
for in one process, without a network, by its owner and by a visitor, who does not see a ``--private`` one; prints a
table of Markdown.
"""

import argparse
import gzip
import statistics
import tempfile
import time
from pathlib import Path

import anyio
import httpx
import msgspec
from tests.support.camera_roll import camera_roll
from tests.support.clock import ManualClock
from tests.support.library import Library

from imagegallery import ImageGallery, Principal, Settings
from imagegallery.access.audience import Visibility, VisibilityLike
from imagegallery.backends import open_database
from imagegallery_asgi import create_app
from imagegallery_asgi.api.documents import cursor_pagination, image_list
from imagegallery_asgi.api.responses.images import GalleryImage

QUERIES = ("", "&fields=id,ratio,blurhash,src", "&fields=id,width,height,alt_text,src,srcSet,sources,blurhash")


async def measure(directory: Path, images: int, rounds: int, visibility: VisibilityLike) -> None:
    settings = Settings.embedded(directory / "data")
    ana = Principal.user("ana")
    async with ImageGallery.open(settings) as gallery:
        made = await gallery.galleries.create(ana, name="Lisbon", visibility=visibility)
        async with open_database(settings) as database:
            library = Library.on(database, directory / "objects", ManualClock())
            for image in camera_roll(images):
                await library.add_image(image, made.id)
        app = create_app(gallery, authenticate=lambda request: ana if "Authorization" in request.headers else None)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver/api/v1") as client:
            print("| list | bytes an image | by gzip | ms of a processor |\n|---|---|---|---|")
            for name, path, headers in (
                (f"a {visibility} gallery, to a visitor", f"/galleries/{made.id}/images", {}),
                ("one's library", "/images", {"Authorization": "Bearer ana"}),
            ):
                for query in QUERIES:
                    # A limit of this size is never kept: each is read, made and encoded.
                    address, sent = f"{path}?limit={images - 1}{query}", {**headers, "Accept-Encoding": "identity"}
                    answer = await client.get(address, headers=sent)
                    if answer.is_error:
                        continue
                    count = len(answer.json()["data"])
                    plain, packed = (len(body) / count for body in (answer.content, gzip.compress(answer.content, 6)))
                    times = [await _timed(client, address, sent) for _ in range(rounds)]
                    print(
                        f"| {name} `{query}` | {plain:,.0f} | {packed:,.0f} | {1000 * statistics.median(times):.1f} |"
                    )
        page = await gallery.galleries.list_images(ana, made.id, limit=images - 1)
        document = image_list(page.items, cursor_pagination(page), "/api/v1", GalleryImage)
        encoding = 1000 * statistics.median(_encoded(document) for _ in range(rounds))
        print(f"\nOf that the encoding to JSON: {encoding:.2f} ms")


async def _timed(client: httpx.AsyncClient, address: str, headers: dict[str, str]) -> float:
    """Of a processor, in this process: what the database takes and others on the machine do not count."""
    started = time.process_time()
    await client.get(address, headers=headers)
    return time.process_time() - started


def _encoded(document: object) -> float:
    started = time.process_time()
    msgspec.json.encode(document)
    return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--private", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        visibility = Visibility.PRIVATE if options.private else Visibility.PUBLIC
        anyio.run(measure, Path(directory), options.images, options.rounds, visibility)


if __name__ == "__main__":
    main()
