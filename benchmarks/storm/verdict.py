"""What must be true when the storm is over, asked of the APIs, the store, the database and `reconcile`."""

import asyncio
import hashlib
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import anyio
import asyncpg
import httpx
from attrs import define, field, frozen
from benchmarks.storm.tally import Acknowledged, Tally

from imagegallery import ImageGallery, Settings
from imagegallery.reconciliation.finding import Finding, RepairOutcome
from imagegallery.uploads.checks import STRAY_UPLOAD
from imagegallery.variants.checks import STRAY_OBJECT

PATIENCE = timedelta(minutes=10)
SIX = frozenset(
    {
        ("thumbnail", "webp"),
        ("small", "webp"),
        ("medium", "webp"),
        ("medium", "avif"),
        ("large", "webp"),
        ("large", "avif"),
    }
)
# What a kill may leave behind, to be tidied up: bytes that no row names.
HARMLESS = frozenset({STRAY_UPLOAD, STRAY_OBJECT})
_AT_ONCE = 8

UNFINISHED = "SELECT count(*) FROM jobs WHERE state <> 'dead'"
DEAD = "SELECT count(*) FROM jobs WHERE state = 'dead'"
IMAGES = "SELECT id, processing_status FROM images"
STORAGE = "SELECT coalesce(sum(storage_used), 0) FROM owners"
SESSIONS = "SELECT id, state, image_id FROM upload_sessions"
OPEN = ("pending", "uploading", "uploaded")


@define
class Verdict:
    """``violations`` is empty if everything is as it must be; ``notes`` are facts for the table."""

    violations: list[str] = field(factory=list)
    notes: dict[str, str] = field(factory=dict)

    def must(self, is_so: bool, otherwise: str) -> None:
        if not is_so:
            self.violations.append(otherwise)


@frozen
class Examination:
    """Of a stack that has become quiet."""

    urls: Sequence[httpx.URL]
    dsn: str
    galleries: Sequence[UUID]
    tally: Tally
    verdict: Verdict

    async def run(self) -> None:
        await self._wait_for_the_queue()
        async with httpx.AsyncClient(timeout=60, follow_redirects=True) as http:
            for url in self.urls:
                await self._galleries(http, f"{url}/api/v1")
            await self._originals(http, f"{self.urls[0]}/api/v1")
        await self._rows()

    async def _wait_for_the_queue(self) -> None:
        connection = await asyncpg.connect(self.dsn)
        try:
            with anyio.move_on_after(PATIENCE.total_seconds()) as scope:
                while await connection.fetchval(UNFINISHED):
                    await anyio.sleep(0.5)
            left = await connection.fetchval(UNFINISHED)
            self.verdict.must(not scope.cancelled_caught, f"{left} jobs are not done after {PATIENCE}")
        finally:
            await connection.close()

    async def _galleries(self, http: httpx.AsyncClient, api: str) -> None:
        """Each gallery shows exactly what was acknowledged for it, each image with all that it must have."""
        expected: dict[UUID, list[Acknowledged]] = defaultdict(list)
        for each in self.tally.acknowledged:
            expected[each.gallery_id].append(each)
        for gallery_id in self.galleries:
            document = (await http.get(f"{api}/galleries/{gallery_id}")).raise_for_status().json()["data"]
            count = len(expected[gallery_id])
            self.verdict.must(
                document["image_count"] == count, f"{api}: {gallery_id} counts {document['image_count']}, not {count}"
            )
            images = await _all_images(http, f"{api}/galleries/{gallery_id}/images")
            shown, wanted = (
                Counter(str(image["id"]) for image in images),
                Counter(str(e.image_id) for e in expected[gallery_id]),
            )
            self.verdict.must(shown == wanted, f"{api}: {gallery_id} differs: {_difference(shown, wanted)}")
            for image in images:
                self._image(image)

    def _image(self, image: Mapping[str, object]) -> None:
        variants = image["variants"]
        assert isinstance(variants, list)
        found = Counter((variant["type"], variant["format"]) for variant in variants)
        self.verdict.must(found == Counter(SIX), f"image {image['id']} has the variants {sorted(found.elements())}")
        status = image["processing_status"]
        self.verdict.must(status == "complete", f"image {image['id']} is {status}")

    async def _originals(self, http: httpx.AsyncClient, api: str) -> None:
        """What is downloaded is what was uploaded, and every variant can be had."""
        limiter = asyncio.Semaphore(_AT_ONCE)

        async def look(each: Acknowledged) -> None:
            async with limiter:
                original = await http.get(f"{api}/images/{each.image_id}/download")
                same = original.status_code == 200 and hashlib.sha256(original.content).hexdigest() == each.sha256
                self.verdict.must(same, f"the original of {each.image_id} differs ({original.status_code})")
                image = (await http.get(f"{api}/images/{each.image_id}")).raise_for_status().json()["data"]
                for variant in image["variants"]:
                    answer = await http.get(variant["url"])
                    there = answer.status_code == 200 and len(answer.content) == variant["file_size"]
                    self.verdict.must(there, f"{variant['variant_type']} of {each.image_id}: {answer.status_code}")

        async with anyio.create_task_group() as tasks:
            for each in self.tally.acknowledged:
                tasks.start_soon(look, each)
        self.verdict.notes["originals downloaded, byte-identical"] = str(len(self.tally.acknowledged))

    async def _rows(self) -> None:
        connection = await asyncpg.connect(self.dsn)
        try:
            images = {row["id"] for row in await connection.fetch(IMAGES)}
            stored, dead = await connection.fetchval(STORAGE), await connection.fetchval(DEAD)
            sessions = await connection.fetch(SESSIONS)
        finally:
            await connection.close()
        wanted = {each.image_id for each in self.tally.acknowledged}
        self.verdict.must(len(wanted) == len(self.tally.acknowledged), "two uploads were answered with one image")
        self.verdict.must(images == wanted, f"images: {len(images - wanted)} too many, {len(wanted - images)} missing")
        total = sum(each.size for each in self.tally.acknowledged)
        self.verdict.must(stored == total, f"storage_used adds up to {stored:,} bytes instead of {total:,}")
        self.verdict.must(dead == 0, f"{dead} jobs died")
        became = Counter(row["image_id"] for row in sessions if row["image_id"] is not None)
        self.verdict.must(set(became) == wanted and set(became.values()) <= {1}, "sessions and images do not match")
        known = {each.upload_id for each in self.tally.acknowledged}
        still_open = [row for row in sessions if row["state"] in OPEN]
        for row in still_open:
            open_but_in = row["id"] in known or row["image_id"] in wanted
            self.verdict.must(not open_but_in, f"session {row['id']} was acknowledged and is {row['state']}")
        # Their creation was broken off: no client knows them, and they expire.
        self.verdict.must(len(still_open) <= self.tally.in_flight(), f"{len(still_open)} sessions are open")
        self.verdict.notes["sessions that nobody was told of (they expire)"] = str(len(still_open))


async def reconcile(settings: Settings, verdict: Verdict) -> None:
    """Finds nothing but strays, which it repairs; a second pass finds nothing."""
    async with ImageGallery.open(settings) as gallery:
        first = [finding async for finding in _findings(gallery, repair=True)]
        second = [finding async for finding in _findings(gallery, repair=False)]
    verdict.notes["reconcile, first pass"] = _summary(first)
    verdict.notes["reconcile, second pass"] = _summary(second)
    for finding in first:
        fine = finding.kind in HARMLESS and finding.outcome is RepairOutcome.REPAIRED
        verdict.must(fine, f"reconcile: {finding}")
    for finding in second:
        verdict.must(False, f"reconcile, after repair: {finding}")


async def _findings(gallery: ImageGallery, *, repair: bool) -> AsyncIterator[Finding]:
    for phase in gallery.upkeep.reconciliation(grace=timedelta(0)):
        async for step in phase.run(repair=repair):
            for finding in step.findings:
                yield finding


def _summary(findings: Sequence[Finding]) -> str:
    counts = Counter(f"{finding.kind.name.replace('_', ' ')} ({finding.outcome})" for finding in findings)
    return ", ".join(f"{count} {what}" for what, count in counts.items()) or "nothing"


async def _all_images(http: httpx.AsyncClient, url: str) -> list[dict[str, object]]:
    images: list[dict[str, object]] = []
    cursor = None
    while True:
        query = {"limit": "100", **({"cursor": cursor} if cursor else {})}
        page = (await http.get(url, params=query)).raise_for_status().json()
        images += page["data"]
        cursor = page["pagination"].get("nextCursor")
        if not cursor:
            return images


def _difference(shown: Counter[str], wanted: Counter[str]) -> str:
    return f"{sum((wanted - shown).values())} missing, {sum((shown - wanted).values())} too many"
