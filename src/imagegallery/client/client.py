"""The client: files in, ids of images out."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID, uuid4

import httpx
from anyio.to_thread import run_sync
from attrs import frozen

from imagegallery.access.audience import Visibility
from imagegallery.client.api import Api
from imagegallery.client.documents import GalleryName, ImageName, UploadPlan, read_data, read_page
from imagegallery.client.exchange import RetryingRequests
from imagegallery.client.parts import send_parts
from imagegallery.client.problems import ApiProblem
from imagegallery.client.progress import AdvanceBytes, ProgressCounter, ignore_progress
from imagegallery.client.retries import RetryPolicy
from imagegallery.client.source import LocalFile
from imagegallery.client.statefile import FileKey, StateFile
from imagegallery.client.whole import send_whole
from imagegallery.common.meta import NO_META, JsonValue, Meta
from imagegallery.errors import ConfigurationError, ImageGalleryError, InvalidInput, Unavailable
from imagegallery.uploads.session.policy import OnDuplicate

TIMEOUT = httpx.Timeout(30, read=120)  # seconds; completing an upload decodes the picture
PARALLEL_PARTS = 4

# The API's codes for a session that is over, or not for this file, and for one without bytes.
_ENDED = frozenset({"rejected", "expired", "cancelled"})
_OVER = frozenset({"not_found", "upload_ended", "upload_expired", "idempotency_key_reused"})
_INCOMPLETE = "upload_incomplete"


@frozen
class GalleryClient:
    """Uploads files. Made by `open`.

    Every method raises `ApiProblem` if the server refuses, and `Unavailable` if it stays unreachable for all retries.
    """

    _api: Api
    _state: StateFile
    _parallel_parts: int
    _on_duplicate: OnDuplicate | None
    _policy: str | None = None

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
        policy: str | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> AsyncIterator["GalleryClient"]:
        """Open a client of the API.

        Args:
            url: The root of the API (``https://…/api/v1``).
            token: A bearer token, if the server requires one.
            state: Remembers unfinished uploads: see `StateFile.open`.
            on_duplicate: What to do with files that the owner has already. ``None`` leaves it to the server.
            policy: The name of the policy that uploads are under; ``None``: that of their gallery, if it has one.
            http: A client to use instead of its own. It stays open.

        Raises:
            ConfigurationError: For an invalid ``url``.
        """
        root = _root(url)
        async with nullcontext(http) if http else httpx.AsyncClient(timeout=TIMEOUT) as connections:
            authorization = {"Authorization": f"Bearer {token}"} if token else {}
            api = Api(root, RetryingRequests(connections, retries or RetryPolicy()), authorization)
            yield cls(api, state or StateFile.in_memory(), parallel_parts, on_duplicate, policy)

    async def upload(
        self,
        path: Path,
        *,
        gallery_id: UUID | None = None,
        meta: Meta = NO_META,
        visibility: Visibility | None = None,
        advance: AdvanceBytes = ignore_progress,
    ) -> UUID:
        """Upload a file and return its image's id, even if an earlier run did it with the same arguments.

        Args:
            meta: What the application keeps with the image: a JSON object (`imagegallery.common.meta`).
            visibility: The image's own. ``None`` leaves it to the server.
            advance: Called with the number of bytes that were sent or need not be: in total the file's size, or zero if
                this raises.

        Raises:
            OSError: If the file cannot be read.
            InvalidInput: If it is no image. Nothing was sent then.
        """
        target = f"{self._api.root} {gallery_id or ''}" + (f" {self._policy}" if self._policy else "")
        said: dict[str, JsonValue] = {"meta": meta} if meta else {}
        if visibility is not None:
            said["visibility"] = visibility.value
        if said:
            target += f" {json.dumps(said, sort_keys=True)}"
        if gallery_id:
            said["gallery_id"] = str(gallery_id)
        progress = ProgressCounter(advance)
        try:
            status = await run_sync(path.stat)
            image_id = self._state.get(FileKey.of(path, status, target)).image_id
            if image_id is None:
                file = await LocalFile.examine(path)
                status = file.status
                image_id = await self._upload(file, FileKey.of(path, status, target), said, progress)
        except BaseException:
            progress.take_back()
            raise
        progress.add(status.st_size - progress.sent)
        return image_id

    async def find_or_make_gallery(self, name: str) -> UUID:
        """Return the id of the user's gallery of that name, creating it if needed."""
        failures = 0
        while True:
            found = await self._find_gallery(name)
            if found is not None:
                return found
            try:
                made = await self._api.call("POST", "/galleries", json={"name": name}, once=True)
                return read_data(GalleryName, made.content).id
            except Unavailable:  # it may have been made all the same: another lookup will show
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

    async def _upload(self, file: LocalFile, key: FileKey, said: Meta, progress: ProgressCounter) -> UUID:
        image_id = await self._resume(file, key, said, progress)
        if image_id is None:
            progress.take_back()
            idempotency_key = str(uuid4())
            # Saved before the request, whose response may get lost.
            await self._state.remember_key(key, idempotency_key)
            image_id = await self._send_and_complete(await self._begin(file, said, idempotency_key), file, progress)
        await self._state.remember_image(key, image_id)
        return image_id

    async def _resume(self, file: LocalFile, key: FileKey, said: Meta, progress: ProgressCounter) -> UUID | None:
        """Finish an upload that an earlier run began. Returns ``None`` if that is no longer possible."""
        idempotency_key = self._state.get(key).idempotency_key
        if idempotency_key is None:
            return None
        try:
            plan = await self._begin(file, said, idempotency_key)
            if plan.image_id is not None or plan.state in _ENDED:
                return plan.image_id
            return await self._try_to_complete(plan.id) or await self._send_and_complete(plan, file, progress)
        except ApiProblem as problem:
            if problem.problem not in _OVER:
                raise
            return None

    async def _begin(self, file: LocalFile, said: Meta, idempotency_key: str) -> UploadPlan:
        """Open the upload that this key stands for, with what is ``said`` about the image. A repeated request returns
        the same one."""
        declared = {
            "filename": file.name,
            "content_type": file.content_type,
            "size": file.size,
            "sha256": file.sha256,
            **said,
            **({"on_duplicate": self._on_duplicate} if self._on_duplicate else {}),
            **({"policy": self._policy} if self._policy else {}),
        }
        headers = {"Idempotency-Key": f'"{idempotency_key}"'}
        return read_data(UploadPlan, (await self._api.call("POST", "/uploads", json=declared, headers=headers)).content)

    async def _send_and_complete(self, plan: UploadPlan, file: LocalFile, progress: ProgressCounter) -> UUID:
        """Send what ``plan`` asks for, and complete it."""
        if plan.image_id is not None:  # nothing to send: the server has these bytes
            return plan.image_id
        try:
            await self._send(plan, file, progress)
        except (InvalidInput, OSError):
            # The file changed since this upload began, so nobody will resume it.
            with suppress(ImageGalleryError):
                await self._api.call("DELETE", f"/uploads/{plan.id}")
            raise
        return await self._complete(plan.id)

    async def _send(self, plan: UploadPlan, file: LocalFile, progress: ProgressCounter) -> None:
        if plan.transport == "parts":
            await send_parts(self._api, plan, file, self._parallel_parts, progress)
        elif plan.transport in ("simple", "service"):
            await send_whole(self._api, plan, file, progress)
        else:
            raise Unavailable(f"The server wants the file by {plan.transport!r}, which this client does not know.")

    async def _try_to_complete(self, upload_id: UUID) -> UUID | None:
        """Complete the upload, if the whole file has arrived."""
        try:
            return await self._complete(upload_id)
        except ApiProblem as problem:
            if problem.problem != _INCOMPLETE:
                raise
            return None

    async def _complete(self, upload_id: UUID) -> UUID:
        return read_data(ImageName, (await self._api.call("POST", f"/uploads/{upload_id}/complete")).content).id


def _root(url: str) -> str:
    """``url`` without a trailing slash. Raises `ConfigurationError` for anything else."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ConfigurationError("This is not the address of an API.") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ConfigurationError("The API's address begins with https:// or http:// and the name of its host.")
    return url.rstrip("/")
