"""The client: files go in, ids of images come out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID, uuid4

import httpx
from anyio.to_thread import run_sync
from attrs import frozen

from imagegallery.client.api import Api
from imagegallery.client.documents import GalleryName, ImageName, UploadPlan, read_data, read_page
from imagegallery.client.exchange import Exchange
from imagegallery.client.parts import send_parts
from imagegallery.client.problems import ApiProblem
from imagegallery.client.progress import Advance, Counted, unwatched
from imagegallery.client.retries import RetryPolicy
from imagegallery.client.source import LocalFile
from imagegallery.client.statefile import FileKey, StateFile
from imagegallery.client.whole import send_whole
from imagegallery.errors import ConfigurationError, ImageGalleryError, InvalidInput, Unavailable
from imagegallery.uploads.session.policy import OnDuplicate

TIMEOUT = httpx.Timeout(30, read=120)  # seconds; completing an upload decodes the picture
PARALLEL_PARTS = 4

# What the API answers of a session that is of no use any more, or not for this file, and of one whose bytes never came.
_ENDED = frozenset({"rejected", "expired", "cancelled"})
_OVER = frozenset({"not_found", "upload_ended", "upload_expired", "idempotency_key_reused"})
_INCOMPLETE = "upload_incomplete"


@frozen
class GalleryClient:
    """Made by `open`. Every method raises `ApiProblem` when the server refuses, and `Unavailable` when it cannot be
    reached for longer than the retries last."""

    _api: Api
    _state: StateFile
    _parallel_parts: int
    _on_duplicate: OnDuplicate | None

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: str,
        *,
        token: str | None = None,
        state: StateFile | None = None,
        retries: RetryPolicy | None = None,
        parallel_parts: int = PARALLEL_PARTS,
        on_duplicate: OnDuplicate | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> AsyncIterator["GalleryClient"]:
        """A client of the API whose root is ``url`` (``https://…/api/v1``), with a bearer ``token`` if it wants one.

        ``state`` remembers what was begun (see `StateFile.open`); ``on_duplicate`` says what becomes of files that the
        owner has already, unless that is left to the server; ``http`` is used instead of connections of its own,
        and left open. Raises `ConfigurationError` for a ``url`` that is none.
        """
        root = _root(url)
        async with nullcontext(http) if http else httpx.AsyncClient(timeout=TIMEOUT) as connections:
            authorization = {"Authorization": f"Bearer {token}"} if token else {}
            api = Api(root, Exchange(connections, retries or RetryPolicy()), authorization)
            yield cls(api, state or StateFile.in_memory(), parallel_parts, on_duplicate)

    async def upload(self, path: Path, *, gallery_id: UUID | None = None, advance: Advance = unwatched) -> UUID:
        """Bring a file in; answers its image's id, also when an earlier run did it.

        ``advance`` is told of bytes as they are sent, and of those that need not be: in the end of as many as the file
        has, or of none if this raises. Raises `OSError` when the file cannot be read and `InvalidInput` when it is no
        image; nothing was sent then.
        """
        target = f"{self._api.root} {gallery_id or ''}"
        progress = Counted(advance)
        try:
            status = await run_sync(path.stat)
            image_id = self._state.get(FileKey.of(path, status, target)).image_id
            if image_id is None:
                file = await LocalFile.examine(path)
                status = file.status
                image_id = await self._brought_in(file, FileKey.of(path, status, target), gallery_id, progress)
        except BaseException:
            progress.take_back()
            raise
        progress.add(status.st_size - progress.sent)
        return image_id

    async def find_or_make_gallery(self, name: str) -> UUID:
        """The id of one's own gallery of that name, which is made if need be."""
        failures = 0
        while True:
            found = await self._find_gallery(name)
            if found is not None:
                return found
            try:
                made = await self._api.call("POST", "/galleries", json={"name": name}, once=True)
                return read_data(GalleryName, made.content).id
            except Unavailable:  # it may have been made all the same: that shows when it is looked for again
                failures += 1
                if not self._api.exchange.retries.may_try_again(failures):
                    raise

    async def _find_gallery(self, name: str) -> UUID | None:
        query = {"view": "own", "limit": "100"}
        while True:
            page = read_page((await self._api.call("GET", f"/galleries?{urlencode(query)}")).content)
            found = next((gallery.id for gallery in page.data if gallery.name == name), None)
            cursor = page.pagination.nextCursor
            if found is not None or cursor is None:
                return found
            query["cursor"] = cursor

    async def _brought_in(self, file: LocalFile, key: FileKey, gallery_id: UUID | None, progress: Counted) -> UUID:
        image_id = await self._taken_up(file, key, gallery_id, progress)
        if image_id is None:
            progress.take_back()
            idempotency_key = str(uuid4())
            await self._state.begins(key, idempotency_key)  # before: the answer to the request may get lost
            image_id = await self._sent(await self._begun(file, gallery_id, idempotency_key), file, progress)
        await self._state.ended(key, image_id)
        return image_id

    async def _taken_up(self, file: LocalFile, key: FileKey, gallery_id: UUID | None, progress: Counted) -> UUID | None:
        """The image of an upload that an earlier run began, if it can still become one."""
        idempotency_key = self._state.get(key).idempotency_key
        if idempotency_key is None:
            return None
        try:
            plan = await self._begun(file, gallery_id, idempotency_key)
            if plan.image_id is not None or plan.state in _ENDED:
                return plan.image_id
            return await self._completed(plan.id) or await self._sent(plan, file, progress)
        except ApiProblem as problem:
            if problem.problem not in _OVER:
                raise
            return None

    async def _begun(self, file: LocalFile, gallery_id: UUID | None, idempotency_key: str) -> UploadPlan:
        """The upload that this key stands for: asked again, the server answers the same one."""
        declared = {
            "filename": file.name,
            "content_type": file.content_type,
            "size": file.size,
            "sha256": file.sha256,
            **({"gallery_id": str(gallery_id)} if gallery_id else {}),
            **({"on_duplicate": self._on_duplicate} if self._on_duplicate else {}),
        }
        headers = {"Idempotency-Key": f'"{idempotency_key}"'}
        return read_data(UploadPlan, (await self._api.call("POST", "/uploads", json=declared, headers=headers)).content)

    async def _sent(self, plan: UploadPlan, file: LocalFile, progress: Counted) -> UUID:
        """Send what ``plan`` asks for, and complete it."""
        if plan.image_id is not None:  # nothing: these bytes are in already
            return plan.image_id
        try:
            await self._send(plan, file, progress)
        except (InvalidInput, OSError):
            # The file is not what it was when this upload was begun: nobody will go on with it.
            with suppress(ImageGalleryError):
                await self._api.call("DELETE", f"/uploads/{plan.id}")
            raise
        return await self._complete(plan.id)

    async def _send(self, plan: UploadPlan, file: LocalFile, progress: Counted) -> None:
        if plan.transport == "parts":
            await send_parts(self._api, plan, file, self._parallel_parts, progress)
        elif plan.transport in ("simple", "service"):
            await send_whole(self._api, plan, file, progress)
        else:
            raise Unavailable(f"The server wants the file by {plan.transport!r}, which this client does not know.")

    async def _completed(self, upload_id: UUID) -> UUID | None:
        """The image, if the whole file has arrived."""
        try:
            return await self._complete(upload_id)
        except ApiProblem as problem:
            if problem.problem != _INCOMPLETE:
                raise
            return None

    async def _complete(self, upload_id: UUID) -> UUID:
        return read_data(ImageName, (await self._api.call("POST", f"/uploads/{upload_id}/complete")).content).id


def _root(url: str) -> str:
    """``url`` without a slash at its end. Raises `ConfigurationError` for what is no address."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ConfigurationError("This is not the address of an API.") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ConfigurationError("The API's address begins with https:// or http:// and the name of its host.")
    return url.rstrip("/")
