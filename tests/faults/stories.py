"""What clients do, to the end and whatever fails meanwhile; each story tells which images there must be then."""

import io
import json
import zipfile
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from uuid import UUID

import anyio
import httpx
from attrs import frozen
from tests.faults.deployment import Deployment, Patient
from tests.faults.host import TABLE
from tests.faults.looking import idle, queue_client, rows, upload_state

from imagegallery.client import GalleryClient, RetryPolicy
from imagegallery.images.image.image import ProcessingStatus
from imagegallery.principal import Principal
from imagegallery.queue.sqs.channel import OutgoingMessage, SqsChannel
from imagegallery.storage.streams import bytes_chunks
from imagegallery.variants.jobs import discard_objects

ME = Principal.user("owner")
A_SESSIONS_LIFE = timedelta(hours=1, minutes=1)
A_SESSIONS_MEMORY = timedelta(hours=26)
BYTES = "application/octet-stream"
TUS = {"Tus-Resumable": "1.0.0"}
STUBBORN = RetryPolicy(attempts=1000, first_pause=timedelta(seconds=0.05), longest_pause=timedelta(seconds=0.1))


@frozen
class Scene:
    """A client of a deployment, with a gallery of its own and a picture to bring into it."""

    deployment: Deployment
    client: Patient
    gallery_id: UUID
    picture: Path

    @property
    def body(self) -> bytes:
        return self.picture.read_bytes()

    async def call(self, method: str, path: str, **rest: object) -> httpx.Response:
        return await self.client.call(method, f"{self.deployment.url}{path}", **rest)

    async def begun(self, **declared: object) -> Mapping[str, Any]:
        """An upload session as the client was told of it, with no SHA-256."""
        plan = {"filename": "tram.jpg", "content_type": "image/jpeg", "size": len(self.body)}
        asked = {**plan, "gallery_id": str(self.gallery_id), **declared}
        answer = await self.call("POST", "/uploads", json=asked)
        data: Mapping[str, Any] = answer.raise_for_status().json()["data"]
        return data

    async def send(self, request: Mapping[str, Any], body: bytes) -> None:
        """Send the bytes to the store, as a session or a form says."""
        url = urljoin(self.deployment.url, request["url"])
        if request["method"] == "PUT":
            answer = await self.client.call("PUT", url, content=body, headers=request["headers"])
        else:
            answer = await self.client.call("POST", url, data=request["fields"], files={"file": body})
        answer.raise_for_status()


Story = Callable[[Scene], Awaitable[list[UUID]]]


async def whole(scene: Scene) -> list[UUID]:
    """One request to the store, or several parts, as the service plans it."""
    async with GalleryClient.open(scene.deployment.url, retries=STUBBORN) as client:
        return [await client.upload(scene.picture, gallery_id=scene.gallery_id)]


async def processed(scene: Scene) -> list[UUID]:
    images = await whole(scene)
    await idle(scene.deployment)
    return images


async def through_the_service(scene: Scene) -> list[UUID]:
    """All in one request; who got no answer sends it again, and asks for one image of it."""
    path = f"/galleries/{scene.gallery_id}/uploads?on_duplicate=return_existing"
    answer = await scene.call("POST", path, content=scene.body, headers={"Content-Type": "image/jpeg"})
    return [UUID(answer.raise_for_status().json()["data"]["id"])]


async def attached(scene: Scene) -> list[UUID]:
    """An item of an application, whose picture is committed with it; who got no answer sends it again."""
    await rows(scene.deployment, TABLE)
    sent = await scene.call("PUT", "/items/tram", content=scene.body, headers={"Content-Type": BYTES})
    sent.raise_for_status()
    return [row["image_id"] for row in await rows(scene.deployment, "SELECT image_id FROM items WHERE name = 'tram'")]


async def sent_to_the_service(scene: Scene) -> list[UUID]:
    """A session whose bytes the service itself takes; whoever got no answer sends them again."""
    session = await scene.begun()
    path = f"/uploads/{session['id']}/content"
    sent = await scene.call("PUT", path, content=scene.body, headers={"Content-Type": "image/jpeg"})
    sent.raise_for_status()
    answer = await scene.call("POST", f"/uploads/{session['id']}/complete")
    return [UUID(answer.raise_for_status().json()["data"]["id"])]


async def resumable(scene: Scene) -> list[UUID]:
    """tus: two halves, and after each failure the question how far it came."""
    url = await _tus_begun(scene, Upload_Length=str(len(scene.body)))
    half = len(scene.body) // 2
    while True:
        head = await scene.client.call("HEAD", url, headers=TUS)
        offset = int(head.raise_for_status().headers["Upload-Offset"])
        if offset == len(scene.body):
            break
        end = half if offset < half else len(scene.body)
        headers = {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        try:
            await scene.client.http.request("PATCH", url, content=scene.body[offset:end], headers=headers)
        except httpx.TransportError:
            await anyio.sleep(0.05)
    return [await _image_of(scene, url)]


async def concatenated(scene: Scene) -> list[UUID]:
    """tus: two partial uploads become one; who got no answer asks again, and is told of the same."""
    half, parts = len(scene.body) // 2, []
    for body in (scene.body[:half], scene.body[half:]):
        parts.append(await _tus_begun(scene, Upload_Length=str(len(body)), Upload_Concat="partial"))
        headers = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        (await scene.client.call("PATCH", parts[-1], content=body, headers=headers)).raise_for_status()
    return [await _image_of(scene, await _tus_begun(scene, Upload_Concat=f"final;{' '.join(parts)}"))]


async def _image_of(scene: Scene, url: str) -> UUID:
    session = await scene.call("GET", f"/uploads/{url.rpartition('/')[2]}")
    return UUID(session.raise_for_status().json()["data"]["image_id"])


async def _tus_begun(scene: Scene, **asked: str) -> str:
    names = {"filename": "dHJhbS5qcGc=", "filetype": "aW1hZ2UvanBlZw=="}
    metadata = ",".join(f"{name} {value}" for name, value in names.items())
    headers = {**TUS, "Upload-Metadata": metadata, **{name.replace("_", "-"): asked[name] for name in asked}}
    made = await scene.call("POST", f"/uploads/resumable?gallery_id={scene.gallery_id}", headers=headers)
    return urljoin(scene.deployment.url, made.raise_for_status().headers["Location"])


async def duplicate(scene: Scene) -> list[UUID]:
    """The same bytes once more, by somebody who wants no second image, and did not say beforehand what they are."""
    images = await whole(scene)
    session = await scene.begun(on_duplicate="return_existing")
    await scene.send(session, scene.body)
    answer = await scene.call("POST", f"/uploads/{session['id']}/complete")
    assert UUID(answer.raise_for_status().json()["data"]["id"]) == images[0]
    return images


async def refused(scene: Scene) -> list[UUID]:
    """Bytes that are no picture; asked again, the answer is the same."""
    session = await scene.begun(size=7)
    await scene.send(session, b"picture")
    for _ in range(2):
        answer = await scene.call("POST", f"/uploads/{session['id']}/complete")
        assert (answer.status_code, answer.json()["code"]) == (422, "type_mismatch"), answer.text
    return []


async def cancelled(scene: Scene) -> list[UUID]:
    session = await scene.begun()
    await scene.send(session, scene.body)
    (await scene.call("DELETE", f"/uploads/{session['id']}")).raise_for_status()
    return []


async def abandoned(scene: Scene) -> list[UUID]:
    """The bytes come, and their client never again."""
    session = await scene.begun()
    await scene.send(session, scene.body)
    scene.deployment.pass_time(A_SESSIONS_LIFE)
    await upload_state(scene.deployment, str(session["id"]), "expired")
    scene.deployment.pass_time(A_SESSIONS_MEMORY)
    await upload_state(scene.deployment, str(session["id"]), None)
    return []


async def arrived(scene: Scene) -> list[UUID]:
    """The client sends its one request; what the bucket then says completes the upload."""
    asked = {"filename": "tram.jpg", "type": "image/jpeg", "metadata[gallery_id]": str(scene.gallery_id)}
    form = (await scene.call("GET", "/uploads/uppy/s3/params", params=asked)).raise_for_status().json()
    await scene.send(form, scene.body)
    settings = scene.deployment.gallery.settings
    about = {"bucket": {"name": settings.storage.s3.bucket}, "object": {"key": form["fields"]["key"]}}
    event = {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Post", "s3": about}]}
    async with queue_client(settings) as client:
        channel = SqsChannel(client, str(settings.queue.sqs.events_url))
        await channel.send([OutgoingMessage(json.dumps(event), timedelta(0))])
    return [await _only_image(scene)]


async def _only_image(scene: Scene) -> UUID:
    while True:
        listed = (await scene.call("GET", f"/galleries/{scene.gallery_id}/images")).raise_for_status().json()["data"]
        if listed:
            return UUID(listed[0]["id"])
        await anyio.sleep(0.05)


async def purged(scene: Scene) -> list[UUID]:
    """In, and out again for good."""
    (image_id,) = await processed(scene)
    assert (await scene.call("DELETE", f"/images/{image_id}")).status_code in (204, 404)
    assert (await scene.call("DELETE", f"/images/{image_id}?permanent=true")).status_code in (204, 404)
    return []


async def exported(scene: Scene) -> list[UUID]:
    """An archive is asked for, comes in two parts, and is deleted; who got no answer asks again."""
    images = await processed(scene)
    export = (await scene.call("POST", "/me/export")).raise_for_status().json()["data"]
    while export["state"] != "ready":
        await anyio.sleep(0.05)
        export = (await scene.call("GET", f"/me/exports/{export['id']}")).raise_for_status().json()["data"]
        assert export["state"] != "failed"
    half, archive = export["size"] // 2, b""
    for part in (f"bytes=0-{half - 1}", f"bytes={half}-"):
        answer = await scene.call("GET", f"/me/exports/{export['id']}/archive", headers={"Range": part})
        archive += answer.raise_for_status().content
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        assert zipped.testzip() is None
        assert scene.body in [zipped.read(name) for name in zipped.namelist() if name.endswith(".jpg")]
    (await scene.call("DELETE", f"/me/exports/{export['id']}")).raise_for_status()
    return images


async def erased(scene: Scene) -> list[UUID]:
    """All that the owner has goes, and what they shared; who got no answer asks again."""
    await processed(scene)
    shared = {"targets": [{"gallery_id": str(scene.gallery_id)}], "permissions": ["view"], "link": True}
    (await scene.call("POST", "/shares", json=shared)).raise_for_status()
    (await scene.call("POST", "/me/erase")).raise_for_status()
    while (await scene.call("GET", "/me/erase")).status_code != HTTPStatus.NOT_FOUND:
        await anyio.sleep(0.05)
    for table in ("galleries", "images", "shares", "events", "closed_things", "owners"):
        assert await rows(scene.deployment, f"SELECT * FROM {table}") == []
    return []


async def spoilt(scene: Scene) -> list[UUID]:
    """The store gives back other bytes than it was given: the image fails, and stays."""
    scene.deployment.pause("worker")
    (image_id,) = await whole(scene)
    gallery = scene.deployment.gallery
    (row,) = await rows(scene.deployment, "SELECT original_key FROM images")
    await gallery.server.store.put(row["original_key"], bytes_chunks(b"other bytes"), content_type="image/jpeg")
    scene.deployment.resume("worker")
    await idle(scene.deployment)
    image = await gallery.images.get(ME, image_id)
    assert (image.status, image.failure and image.failure.code) == (ProcessingStatus.FAILED, "checksum_mismatch")
    return [image_id]


async def discarded(scene: Scene) -> list[UUID]:
    """Variants that an attempt left behind are deleted, and those that are on record are not."""
    (image_id,) = await processed(scene)
    gallery, now = scene.deployment.gallery, scene.deployment.clock()
    image = await gallery.images.get(ME, image_id)
    stray = f"{image.key_prefix}left-behind-{image_id}.webp"
    await gallery.server.store.put(stray, bytes_chunks(b"a variant"), content_type="image/webp")
    await scene.deployment.enqueue(discard_objects(image_id, [stray, image.variants[0].key], now=now))
    return [image_id]
