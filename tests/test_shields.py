"""What must be done is done, also for somebody who has been cancelled: each shield by what it shields.

Nothing else holds here: the parts around are stand-ins, and what each of them does is held by its own tests.
"""

import asyncio
import re
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import anyio
import pytest
from anyio.lowlevel import checkpoint

from imagegallery.cache.generations import GalleryChanges
from imagegallery.cache.tiers import SecondTier
from imagegallery.cli import doctor_run, supervisor
from imagegallery.cli.nursery import Program
from imagegallery.clock import utc_now
from imagegallery.common.task_context import TaskContext
from imagegallery.database import connections
from imagegallery.database.advisory import AdvisoryLocks
from imagegallery.database.embedded import server as embedded
from imagegallery.database.namespace import Namespace
from imagegallery.database.options import DatabaseOptions
from imagegallery.database.pool import Database
from imagegallery.imaging.sandbox import engine as sandbox
from imagegallery.imaging.sandbox import process
from imagegallery.queue import attempt
from imagegallery.queue.protocol import JobOutcome
from imagegallery.queue.sqs.messages import SqsMessages
from imagegallery.queue.worker import Worker
from imagegallery.redis import client
from imagegallery.redis.options import RedisOptions
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.s3 import appends, transfer
from imagegallery.storage.scratch import Scratch
from imagegallery.storage.signatures import UrlSigner
from imagegallery.storage.streams import CHUNK_SIZE, bytes_chunks, copy_to_file, file_chunks
from imagegallery.upkeep import examination, promises
from imagegallery.uploads.multipart import parts
from imagegallery.uploads.resumable.appends import Appender
from imagegallery.uploads.session import end
from imagegallery.uploads.session.end import SessionEnder
from imagegallery.variants import render

NOW = timedelta(0)


class Duty:
    """What must be done: the one who asks for it is cancelled when it has just begun, and it still has to wait."""

    def __init__(self, asking: anyio.CancelScope) -> None:
        self._asking = asking
        self.is_done = False

    def cancel(self) -> None:
        self._asking.cancel()

    async def __call__(self, *_: object, **__: object) -> Any:
        self._asking.cancel()
        await checkpoint()
        self.is_done = True
        return True


class Broken(Exception):
    pass


def stub(**parts: object) -> Any:
    """Something that has these parts."""
    return SimpleNamespace(**parts)


async def fine(*_: object, **__: object) -> Any:
    return stub(key="incoming/a", multipart_id="m")


async def broken(*_: object, **__: object) -> None:
    raise Broken


@asynccontextmanager
async def opened(*_: object, **__: object) -> AsyncIterator[Any]:
    yield stub()


# --- what must be done, and who asks for it -------------------------------------------------------------------

Ask = Callable[[Duty, pytest.MonkeyPatch], Awaitable[object]]


def connection(**parts: object) -> Any:
    return stub(transaction=lambda **_: stub(start=fine, **parts), terminate=lambda: None, get_server_pid=lambda: 1)


async def commit(duty: Duty, _: pytest.MonkeyPatch) -> None:
    async with connections.in_transaction(connection(commit=duty)):
        pass


async def roll_back(duty: Duty, _: pytest.MonkeyPatch) -> None:
    async with connections.in_transaction(connection(rollback=duty)):
        raise Broken


async def release_connection(duty: Duty, _: pytest.MonkeyPatch) -> None:
    async def acquire(**_: object) -> Any:
        return connection()

    database = Database(stub(acquire=acquire, release=duty), DatabaseOptions(dsn="postgresql://"))
    async with database._acquire():
        pass


def locks(fetchval: object) -> AdvisoryLocks:
    @asynccontextmanager
    async def session() -> AsyncIterator[Any]:
        yield stub(
            fetchval=fetchval, add_listener=fine, add_termination_listener=lambda _: None, is_closed=lambda: False
        )

    return AdvisoryLocks(session, Namespace())


async def take_advisory_lock(duty: Duty, _: pytest.MonkeyPatch) -> None:
    async with locks(duty).hold("a", patience=timedelta(days=1)):
        pass


async def release_advisory_lock(duty: Duty, monkeypatch: pytest.MonkeyPatch) -> None:
    held = locks(fine)
    monkeypatch.setattr(held, "_release", duty)
    async with held.hold("a", patience=timedelta(days=1)):
        pass


async def close_advisory_locks(duty: Duty, monkeypatch: pytest.MonkeyPatch) -> None:
    held = locks(fine)
    monkeypatch.setattr(held, "_stack", stub(aclose=duty))
    await held.aclose()


async def leave_embedded_server(duty: Duty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_enter", fine)
    monkeypatch.setattr(embedded, "_leave", duty)
    async with embedded.EmbeddedPostgres.running(Path("nowhere")):
        pass


async def ask_for_news(duty: Duty, _: pytest.MonkeyPatch) -> None:
    changes = stub(_asking=anyio.Lock(), _caught_up_with=0, _database=stub(commits=1), _ask=duty)
    await GalleryChanges._ask_for_news(changes, 1)


async def close_redis(duty: Duty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_server", lambda _: stub(aclose=duty))
    async with client.RedisClient.open(RedisOptions(), utc_now):
        pass


async def leave_context(duty: Duty, monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def context() -> AsyncIterator[None]:
        yield
        try:
            await anyio.sleep_forever()
        finally:
            await duty()

    async with TaskContext(context(), "a context"):
        asyncio.get_running_loop().call_soon(duty.cancel)


async def name_parts(duty: Duty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagegallery.uploads.session.records.set_multipart", duty)
    monkeypatch.setattr(parts, "try_to_abort", fine)
    service = stub(
        _multipart_store=lambda: stub(create_multipart=fine), _database=stub(connection=opened), _clock=utc_now
    )
    session = stub(id=None, multipart_id=None, incoming_key="incoming/a", content_type="image/jpeg")
    with suppress(AttributeError):  # of what comes after it
        await parts.UploadParts._ensure_named(service, session)


async def end_program(duty: Duty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_end", duty)
    monkeypatch.setattr(supervisor, "_Child", lambda: stub(has_ended=stub(wait=broken)))
    family = supervisor._Family(stub(start=lambda _order: None), {}, NOW)
    await family._run_once(Program("a", "a", (), essential=True))


async def keep_what_grew(duty: Duty, _: pytest.MonkeyPatch) -> None:
    async def grown(_: str) -> Any:
        return stub(size=0, loose=(), tail=None)

    growing = stub(_grown=grown, bucket=stub(delete_all=fine), piece_size=1, _write=broken, _keep=duty)
    await appends.S3Appends.append(growing, "incoming/a", "0" * 24, bytes_chunks(b""), 0, None)


async def send_piece(duty: Duty, _: pytest.MonkeyPatch) -> None:
    growing = stub(at_once=1, _put=duty, _keep=fine)
    writing = appends._Append("a/", 3, 0, bytearray())
    await appends.S3Appends._write(growing, writing, bytes_chunks(b"abc"), None)


async def forget_parts(duty: Duty, _: pytest.MonkeyPatch) -> None:
    async with transfer.abort_on_failure(stub(abort=duty), "a", "b"):
        raise Broken


async def delete_promises(duty: Duty, _: pytest.MonkeyPatch) -> None:
    store = stub(put=broken, delete=duty)
    async for _check in promises.check_promises(store):
        pass


async def remove_renderings(duty: Duty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anyio.Path.unlink", duty)
    await sandbox._remove([Path("a")])


async def try_to_delete_objects(duty: Duty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(end, "delete_objects", duty)
    await end.try_to_delete_objects(stub(), stub())


async def try_to_abort(duty: Duty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(end, "_abort_unfinished", duty)
    await end.try_to_abort(stub(), stub())


ASKS: Mapping[str, Ask] = {
    "commit": commit,
    "roll back": roll_back,
    "give a connection back": release_connection,
    "close a pool": lambda duty, _: connections.close_pool(stub(close=duty, terminate=lambda: None)),
    "close a session": lambda duty, _: connections.close_session(stub(close=duty, terminate=lambda: None)),
    "take an advisory lock": take_advisory_lock,
    "release an advisory lock": release_advisory_lock,
    "close advisory locks": close_advisory_locks,
    "leave the embedded server": leave_embedded_server,
    "ask for news": ask_for_news,
    "give a lease back": lambda duty, _: SecondTier._give_back(stub(cache=stub(release=duty)), stub()),
    "close Redis": close_redis,
    "leave a context": leave_context,
    "claim jobs": lambda duty, _: Worker._claim(stub(_queue=stub(claim=duty), _options=stub(lease=NOW)), ["a"], 1),
    "settle a job": lambda duty, _: attempt._settle(stub(job=stub()), JobOutcome.RELEASED, duty.__call__),
    "hand messages back": lambda duty, _: SqsMessages.hand_back(stub(hide=duty), [stub()]),
    "end an upload": lambda duty, _: SessionEnder.give_up(stub(end=duty), UUID(int=0)),
    "delete an upload's objects": try_to_delete_objects,
    "abort an upload's parts": try_to_abort,
    "note how far an upload has come": lambda duty, _: Appender._try_save_progress(
        stub(with_stored_offset=fine, _save_progress=duty), stub()
    ),
    "name an upload's parts": name_parts,
    "keep what grew": keep_what_grew,
    "send a piece": send_piece,
    "forget parts": forget_parts,
    "check a store": lambda duty, _: examination.check_store(stub(put=broken, delete=duty)),
    "check a store's promises": delete_promises,
    "remove renderings": remove_renderings,
    "end a decoder": lambda duty, _: process.DecoderProcess.end(
        stub(alive=False, _requests=stub(aclose=fine), _process=stub(aclose=duty))
    ),
    "end a program": end_program,
}


@pytest.mark.parametrize("name", ASKS)
async def test_what_was_begun_is_done(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with anyio.CancelScope() as asking, suppress(Broken):
        duty = Duty(asking)
        await ASKS[name](duty, monkeypatch)
    assert duty.is_done


# --- files and folders that must go, or be closed -------------------------------------------------------------

Use = Callable[[Path, anyio.CancelScope], Awaitable[object]]


def store_at(root: Path) -> FilesystemStore:
    return FilesystemStore(root, UrlSigner(b"a secret of the tests", utc_now))


async def read_object(root: Path, asking: anyio.CancelScope) -> None:
    store = store_at(root / "objects")
    await store.put("a/b", bytes_chunks(bytes(3 * CHUNK_SIZE)), content_type="image/jpeg")
    async with store.get("a/b") as stream:
        async for _chunk in stream.chunks:
            asking.cancel()
            break
    await store.aclose()


async def read_what_grows(root: Path, asking: anyio.CancelScope) -> None:
    store = store_at(root / "objects")
    append_id = await store.begin_append("a", content_type="image/jpeg")
    await store.append("a", append_id, bytes_chunks(bytes(3 * CHUNK_SIZE)), offset=0)
    grown = store.read_appended("a", append_id)
    await anext(grown)
    asking.cancel()
    assert isinstance(grown, AsyncGenerator)
    await grown.aclose()


async def put_object(root: Path, asking: anyio.CancelScope) -> None:
    async def cancelled() -> AsyncIterator[bytes]:
        yield bytes(2 * CHUNK_SIZE)
        asking.cancel()
        await checkpoint()

    await store_at(root / "objects").put("a", cancelled(), content_type="image/jpeg")


async def use_scratch(root: Path, asking: anyio.CancelScope) -> None:
    try:
        async with Scratch.open(root / "scratch"):
            asking.cancel()
    finally:
        assert not [*(root / "scratch").glob("process-*")]


async def use_folder(root: Path, asking: anyio.CancelScope) -> None:
    async with Scratch.open(root / "scratch") as scratch, scratch.directory() as folder:
        (folder / "file").touch()
        scratch._closed = True  # the folder has to go by itself
        asking.cancel()


async def draft_renderings(root: Path, asking: anyio.CancelScope) -> None:
    async with render._drafts(root / "renderings"):
        asking.cancel()


async def examine(root: Path, asking: anyio.CancelScope) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(root))
        async with doctor_run._directory():
            asking.cancel()


async def read_file(root: Path, asking: anyio.CancelScope) -> None:
    (root / "file").write_bytes(b"abc")
    chunks = file_chunks(root / "file")
    await anext(chunks)
    asking.cancel()
    await chunks.aclose()


async def copy_file(root: Path, asking: anyio.CancelScope) -> None:
    async def cancelled() -> AsyncIterator[bytes]:
        yield bytes(2 * CHUNK_SIZE)
        asking.cancel()
        await checkpoint()

    await copy_to_file(cancelled(), root / "file")


USES = [
    read_object,
    read_what_grows,
    put_object,
    use_scratch,
    use_folder,
    draft_renderings,
    examine,
    read_file,
    copy_file,
]


@pytest.mark.parametrize("use", USES)
async def test_nothing_stays_open_or_behind(use: Use, tmp_path: Path) -> None:
    with anyio.CancelScope() as asking:
        await use(tmp_path, asking)
    assert asking.cancel_called
    assert _open_below(tmp_path) == []
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.name != "lock"}
    assert not [path for path in left if re.search(r"process-\w+/|renderings/|^tmp", path)]


def _open_below(root: Path) -> list[str]:
    """The files and folders in there that this process has open, but for the store's scratch and locks."""
    links = [str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    return [link for link in links if link.startswith(str(root)) and "process-" not in link]
