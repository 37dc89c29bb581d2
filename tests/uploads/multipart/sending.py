"""A client of these tests that sends a file in parts."""

import anyio
from tests.support.uploads import Traces, Uploading

from imagegallery.uploads.session.part_plan import ClaimedPart, SignedPart
from imagegallery.uploads.session.policy import UploadPolicy
from imagegallery.uploads.session.session import UploadSession

NOTHING = Traces()
PART = 300
POLICY = UploadPolicy(parts_threshold=1_000, part_size=PART)


async def begun(uploading: Uploading, picture: bytes, *, sha256: bytes | None = None) -> UploadSession:
    return await uploading.service.create(
        uploading.me, filename="tram.jpg", content_type="image/jpeg", size=len(picture), sha256=sha256
    )


def cut(picture: bytes, part: SignedPart) -> bytes:
    return picture[(part.number - 1) * PART :][: part.size]


async def sent(uploading: Uploading, session: UploadSession, picture: bytes) -> list[ClaimedPart]:
    """All parts, last first; answers them in order."""
    etags = {part.number: await uploading.send_part(part, cut(picture, part)) for part in session.part_requests[::-1]}
    return [ClaimedPart(number, etags[number]) for number in sorted(etags)]


async def unfinished(uploading: Uploading) -> list[str]:
    return await anyio.to_thread.run_sync(uploading.unfinished)


async def left(uploading: Uploading) -> tuple[Traces, list[str]]:
    return await uploading.traces(), await unfinished(uploading)
