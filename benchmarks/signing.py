"""What a page of private images costs to sign, by each way of delivery: 50 images with 6 variants.

    python benchmarks/signing.py

Prints milliseconds a page, first and again (CloudFront's signatures are kept), and for how long the event loop was
held up while the page was made. See README.md beside this file.
"""

import statistics
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import anyio
import click
from attrs import frozen
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typed_settings import SecretStr

from imagegallery.clock import utc_now
from imagegallery.delivery.addresses import StoreUrls
from imagegallery.delivery.cloudfront import CloudFrontUrls
from imagegallery.delivery.options import CloudFrontOptions, DeliveryOptions, SigningKey
from imagegallery.delivery.protocol import ObjectUrls
from imagegallery.ids import new_id
from imagegallery.images.image.image import Variant
from imagegallery.images.presentation.urls import ImageUrls
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.keys import image_prefix, variant_key
from imagegallery.storage.signatures import UrlSigner

IMAGES, VARIANTS, ROUNDS = 50, 6, 20
TICK = timedelta(milliseconds=1)


@frozen
class Cost:
    """Milliseconds: a page signed for the first time and once more, and the longest that the loop stood still."""

    first: float
    again: float
    stall: float


def page() -> Sequence[Variant]:
    """Variants that nobody has signed yet."""
    prefixes = [image_prefix(new_id()) for _ in range(IMAGES)]
    keys = [variant_key(prefix, f"v{number}", "f" * 12, "webp") for prefix in prefixes for number in range(VARIANTS)]
    return [Variant("small", "webp", key, 300, 200, 1000, "f") for key in keys]


async def measure(urls: ObjectUrls) -> Cost:
    """The fastest of many pages, and what is usual for the longest stall during one."""
    delivery = ImageUrls(urls, DeliveryOptions(), utc_now)
    costs = [await _one(delivery, page()) for _ in range(ROUNDS)]
    return Cost(min(c.first for c in costs), min(c.again for c in costs), statistics.median(c.stall for c in costs))


async def _one(delivery: ImageUrls, variants: Sequence[Variant]) -> Cost:
    stalls: list[float] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_watch, stalls)
        await anyio.sleep(10 * TICK.total_seconds())
        first, again = await _timed(delivery, variants), await _timed(delivery, variants)
        await anyio.sleep(10 * TICK.total_seconds())
        tasks.cancel_scope.cancel()
    return Cost(first, again, max(stalls))


async def _timed(delivery: ImageUrls, variants: Sequence[Variant]) -> float:
    start = time.perf_counter()
    await delivery.of_many(lambda: [delivery.variant_url(each, delivery.expires_at()) for each in variants])
    return (time.perf_counter() - start) * 1000


async def _watch(stalls: list[float]) -> None:
    while True:
        start = time.perf_counter()
        await anyio.sleep(TICK.total_seconds())
        stalls.append((time.perf_counter() - start - TICK.total_seconds()) * 1000)


def _cloudfront() -> CloudFrontUrls:
    key = generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    options = CloudFrontOptions(url="https://private.example", key=SigningKey("K1", pem=SecretStr(key.decode())))
    return CloudFrontUrls(options, utc_now)


@click.command()
def main() -> None:
    store = FilesystemStore(Path("never-used"), UrlSigner(b"a secret for this benchmark only", utc_now), utc_now)
    ways: Mapping[str, ObjectUrls] = {"our own": StoreUrls(store), "CloudFront": _cloudfront()}
    click.echo(f"{IMAGES * VARIANTS} URLs a page, best of {ROUNDS} (milliseconds)\n")
    click.echo(f"{'way':12} {'first':>8} {'again':>8} {'longest stall of the loop':>26}")
    for name, urls in ways.items():
        cost = anyio.run(measure, urls)
        click.echo(f"{name:12} {cost.first:8.1f} {cost.again:8.1f} {cost.stall:26.1f}")


if __name__ == "__main__":
    main()
