"""Clients as they are: each knows one address, behind which two APIs stand, and repeats what got no answer."""

import asyncio
import base64
import hashlib
import itertools
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import UUID

import anyio
import httpx
from attrs import define, field, frozen
from benchmarks.storm.photographs import Photographs
from benchmarks.storm.tally import Acknowledged, BrokenRequest, Tally

from imagegallery.client import ApiProblem, GalleryClient, RetryPolicy, StateFile
from imagegallery.errors import Unavailable

# The name of the two together: one of loopback, as without sign-in nobody else is served.
HOST = "localhost"
ADDRESS = f"http://{HOST}/api/v1"
TUS = {"Tus-Resumable": "1.0.0"}
TRIES = 20
_PAUSE = 0.3  # seconds, before the next try
_AVOID = 2.0  # seconds, for which nothing is sent to an API that did not answer
_PIECE = 64 * 1024
_UPLOAD_LOCKED = 423


@define
class TwoApis(httpx.AsyncBaseTransport):
    """What a load balancer does: requests go to the APIs in turn, and for a while to the other one when one does not
    answer. It repeats nothing: that is the client's business. Other hosts (the object store) are reached as ever."""

    urls: Sequence[httpx.URL]
    tally: Tally
    _inner: httpx.AsyncHTTPTransport = field(factory=httpx.AsyncHTTPTransport)
    _turns: "itertools.count[int]" = field(factory=itertools.count)
    _avoided: dict[httpx.URL, float] = field(factory=dict)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        began = time.monotonic()
        api = self._next() if request.url.host == HOST else None
        try:
            return await self._answer(request, api)
        except httpx.TransportError as error:
            if api is not None:
                self._avoided[api] = time.monotonic() + _AVOID
            target = f"API {api.port}" if api else "objects"
            what = f"{request.method} {request.url.path}"
            self.tally.broken.append(BrokenRequest(target, what, began, time.monotonic(), type(error).__name__))
            raise

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _answer(self, request: httpx.Request, api: httpx.URL | None) -> httpx.Response:
        """The whole answer: one that breaks off is none."""
        sent = request
        if api is not None:
            # The headers stay, and with them the name that the client used.
            url = request.url.copy_with(host=api.host, port=api.port)
            sent = httpx.Request(
                request.method, url, headers=request.headers, stream=request.stream, extensions=request.extensions
            )
        answer = await self._inner.handle_async_request(sent)
        try:
            content = await answer.aread()
        finally:
            await answer.aclose()
        self.tally.answers[f"{'API' if api else 'objects'} {answer.status_code // 100}xx"] += 1
        if answer.status_code >= 500:
            self.tally.refused(f"{request.method} {request.url.path}", f"{answer.status_code} {content[:200]!r}")
        return httpx.Response(answer.status_code, headers=answer.headers, content=content)

    def _next(self) -> httpx.URL:
        now = time.monotonic()
        good = [url for url in self.urls if self._avoided.get(url, 0.0) <= now]
        return (good or self.urls)[next(self._turns) % len(good or self.urls)]


@frozen
class Visitors:
    """All who come, until ``deadline`` (monotonic seconds); what they began, they end."""

    urls: Sequence[httpx.URL]
    galleries: Sequence[UUID]
    photographs: Photographs
    tally: Tally
    deadline: float
    numbers: "itertools.count[int]" = field(factory=itertools.count)

    async def upload(self, every: float) -> None:
        """A client that uploads as the server says: straight to the object store."""
        async with self._connections() as http:
            retries = RetryPolicy(attempts=TRIES)
            async with GalleryClient.open(ADDRESS, http=http, retries=retries, state=StateFile.in_memory()) as client:

                async def bring_in(path: Path, gallery_id: UUID) -> tuple[UUID, UUID | None]:
                    return await client.upload(path, gallery_id=gallery_id), None

                await self._bring_in_all("presigned", bring_in, http, every)

    async def upload_by_tus(self, every: float) -> None:
        """A client that sends the bytes through the APIs, and asks how far it came when it got no answer."""
        async with self._connections() as http:

            async def bring_in(path: Path, gallery_id: UUID) -> tuple[UUID, UUID | None]:
                return await _tus(http, path, gallery_id)

            await self._bring_in_all("tus", bring_in, http, every)

    async def read(self, every: float) -> None:
        """Somebody who turns pages and looks at pictures."""
        async with self._connections() as http:
            while time.monotonic() < self.deadline:
                with suppress(ApiProblem, Unavailable):  # counted where it happened
                    await self._look_around(http)
                await anyio.sleep(random.uniform(0, 2 * every))

    # -------------------------------------------------------------------------------------------------------

    async def _bring_in_all(
        self,
        transport: str,
        bring_in: Callable[[Path, UUID], Awaitable[tuple[UUID, UUID | None]]],
        http: httpx.AsyncClient,
        every: float,
    ) -> None:
        while time.monotonic() < self.deadline:
            began = time.monotonic()
            path = await anyio.to_thread.run_sync(self.photographs.write, next(self.numbers))
            gallery_id = random.choice(self.galleries)
            try:
                image_id, upload_id = await bring_in(path, gallery_id)
            except (ApiProblem, Unavailable, httpx.TransportError) as error:
                self.tally.failed.append(f"{transport} {path.name}: {error!r}")
                continue
            data = await anyio.Path(path).read_bytes()
            digest, took = hashlib.sha256(data).hexdigest(), time.monotonic() - began
            self.tally.acknowledged.append(
                Acknowledged(image_id, gallery_id, digest, len(data), upload_id, transport, took)
            )
            with suppress(ApiProblem, Unavailable):  # counted where it happened
                await self._see(http, f"/images/{image_id}", "image just uploaded")
            await anyio.sleep(max(0.0, every * random.uniform(0.5, 1.5) - took))

    async def _look_around(self, http: httpx.AsyncClient) -> None:
        gallery_id = random.choice(self.galleries)
        await self._see(http, f"/galleries/{gallery_id}", "gallery")
        limit, order = random.choice((5, 20, 50)), random.choice(("position", "created_at", "taken_at"))
        path = f"/galleries/{gallery_id}/images?limit={limit}&order={order}"
        for _ in range(3):
            page = await self._see(http, path, "page")
            shown = [variant["url"] for image in page["data"] for variant in image["variants"]]
            for url in random.sample(shown, min(2, len(shown))):
                await self._fetch(http, url)
            cursor = page["pagination"]["nextCursor"]
            if not cursor:
                break
            path = f"/galleries/{gallery_id}/images?limit={limit}&order={order}&cursor={cursor}"
        if self.tally.acknowledged:
            await self._see(http, f"/images/{random.choice(self.tally.acknowledged).image_id}", "image")

    async def _see(self, http: httpx.AsyncClient, path: str, what: str) -> dict:  # type: ignore[type-arg]
        """The document there; anything but 200 is wrong."""
        answer = await ask(http, "GET", f"{ADDRESS}{path}")
        self.tally.reads[what] += 1
        if answer.status_code != 200:
            self.tally.refused(f"{what} {path}", f"{answer.status_code} {answer.text[:200]}")
            raise ApiProblem(answer.status_code, "unexpected", what)
        document: dict[str, object] = answer.json()
        return document

    async def _fetch(self, http: httpx.AsyncClient, url: str) -> None:
        answer = await ask(http, "GET", url)
        self.tally.reads["variant"] += 1
        if answer.status_code != 200 or not answer.content:
            self.tally.refused("variant", f"{answer.status_code} {answer.text[:200]}")

    @asynccontextmanager
    async def _connections(self) -> AsyncIterator[httpx.AsyncClient]:
        async with httpx.AsyncClient(transport=TwoApis(self.urls, self.tally), timeout=60) as http:
            yield http


async def ask(http: httpx.AsyncClient, method: str, url: str, headers: dict[str, str] | None = None) -> httpx.Response:
    """The answer, however often it has to be asked. Raises `Unavailable`."""
    for _ in range(TRIES):
        with suppress(httpx.TransportError):
            return await http.request(method, url, headers=headers)
        await anyio.sleep(_PAUSE)
    raise Unavailable(f"no answer to {method} {url}")


async def _tus(http: httpx.AsyncClient, path: Path, gallery_id: UUID) -> tuple[UUID, UUID | None]:
    """One file by tus 1.0.0: created, then sent from wherever the server says it is; answers image and upload."""
    data = await anyio.Path(path).read_bytes()
    values = {"filename": path.name, "filetype": "image/jpeg", "gallery_id": str(gallery_id)}
    metadata = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in values.items())
    creation = {**TUS, "Upload-Length": str(len(data)), "Upload-Metadata": metadata}
    created = _expect(await ask(http, "POST", f"{ADDRESS}/uploads/resumable", creation), 201)
    url = str(created.url.join(created.headers["Location"]))
    for _ in range(TRIES):
        head = await ask(http, "HEAD", url, TUS)
        if head.status_code == _UPLOAD_LOCKED:
            await anyio.sleep(_PAUSE)
            continue
        offset = int(_expect(head, 200, 204).headers["Upload-Offset"])
        if offset == len(data):
            shown = _expect(await ask(http, "GET", url.replace("/uploads/resumable/", "/uploads/")), 200).json()["data"]
            if shown["image_id"]:
                return UUID(shown["image_id"]), UUID(shown["id"])
        with suppress(httpx.TransportError):
            await _patch(http, url, offset, data)
    raise Unavailable(f"{path.name} did not arrive")


async def _patch(http: httpx.AsyncClient, url: str, offset: int, data: bytes) -> None:
    headers = {
        **TUS,
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": str(offset),
        "Content-Length": str(len(data) - offset),
    }
    _expect(await http.patch(url, headers=headers, content=_slowly(data[offset:])), 204, 409, _UPLOAD_LOCKED)


async def _slowly(data: bytes) -> AsyncIterator[bytes]:
    """As over a network that is not the fastest, so that a kill meets uploads that are on their way."""
    for start in range(0, len(data), _PIECE):
        yield data[start : start + _PIECE]
        await asyncio.sleep(0.02)


def _expect(answer: httpx.Response, *statuses: int) -> httpx.Response:
    """Raises `ApiProblem`."""
    if answer.status_code not in statuses:
        raise ApiProblem(answer.status_code, "unexpected", f"{answer.status_code} {answer.text[:200]}")
    return answer
