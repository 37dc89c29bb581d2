"""The gallery whose calls wait: what it has, how it is opened and closed, and what becomes of it in a fork."""

import asyncio
import inspect
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event as Flag
from types import SimpleNamespace
from typing import Any

import anyio
import attrs
import pytest
from tests.support.shared_engine import SharedEngine
from tests.support.studio import picture
from tests.support.waiting import until

from imagegallery import ImageGallery, NotFound, Principal, Settings, Unavailable
from imagegallery.database.options import DatabaseOptions
from imagegallery.events.event import Event
from imagegallery.images.events import ImageReady
from imagegallery.storage.protocol import ByteRange
from imagegallery.sync import SyncGallery, open_gallery
from imagegallery.sync import gallery as faces
from imagegallery.sync.face import Each, Face, Faced, ServiceCall
from imagegallery.sync.portal import Portal

ANA, BEN = Principal.user("ana"), Principal.user("ben")

# What only servers and workers call, with what they hold in their hands.
LEFT_OUT = {
    "UploadParts": {"open_or_abort", "with_upload_request", "complete_session"},
    "EventService": {"record", "prune"},
    "TrashService": {"delete_held", "erase"},
    "ShareService": {"revoke_all"},
    "AuditService": {"prune"},
}


@pytest.fixture
def settings(database_dsn: str, tmp_path: Path) -> Settings:
    return attrs.evolve(Settings(data_dir=tmp_path / "data"), database=DatabaseOptions(dsn=database_dsn))


@pytest.fixture
def gallery(settings: Settings, imaging_engine: SharedEngine) -> Iterator[SyncGallery]:
    with open_gallery(settings, engine=imaging_engine, worker=True) as gallery:
        yield gallery


def kinds_of_faces() -> list[type[Face[object]]]:
    return [
        each for each in vars(faces).values() if inspect.isclass(each) and issubclass(each, Face) and each is not Face
    ]


@pytest.mark.parametrize("face", kinds_of_faces())
def test_a_face_has_all_that_is_awaited_of_its_service(face: type[Face[object]]) -> None:
    service = face.__orig_bases__[0].__args__[0]  # type: ignore[attr-defined]
    awaited = {
        name
        for name, found in vars(service).items()
        if not name.startswith("_") and (inspect.iscoroutinefunction(found) or inspect.isasyncgenfunction(found))
    }
    shown = {name: found for name, found in vars(face).items() if isinstance(found, ServiceCall | Each | Faced)}
    assert awaited - LEFT_OUT.get(service.__name__, set()) == set(shown)
    assert all(found.function is getattr(service, name) for name, found in shown.items())


def test_a_photo_goes_in_and_is_shown(gallery: SyncGallery, tmp_path: Path) -> None:
    (tmp_path / "tram.jpg").write_bytes(picture(400, 300))
    lisbon = gallery.galleries.create(ANA, name="Lisbon")
    added = gallery.uploads.add(ANA, tmp_path / "tram.jpg", gallery_id=lisbon.id)
    ready = gallery.images.wait_until_ready(ANA, added.id)
    assert ready.variants
    assert [each.id for each in gallery.galleries.list_images(ANA, lisbon.id).items] == [added.id]
    gallery.images.trash.put(ANA, added.id)
    assert [each.id for each in gallery.images.trash.list(ANA).items] == [added.id]
    assert [each.owner_id for each in gallery.owners.all()] == ["ana"]
    gallery.ready()


def test_what_is_refused_is_raised_as_it_is(gallery: SyncGallery) -> None:
    private = gallery.galleries.create(ANA, name="Lisbon")
    with pytest.raises(NotFound, match=r"There is no such gallery\.") as refused:
        gallery.galleries.get(BEN, private.id)
    assert type(refused.value) is NotFound


def test_a_method_says_what_its_service_says(gallery: SyncGallery) -> None:
    assert inspect.getdoc(gallery.galleries.create) == inspect.getdoc(type(gallery.galleries._service).create)


def test_functions_hear_of_events(settings: Settings, imaging_engine: SharedEngine) -> None:
    pics, heard, heard_too = ImageGallery.define(settings, engine=imaging_engine), Flag(), Flag()

    @pics.on(ImageReady, name="tests.hear")
    def hear(event: Event[ImageReady]) -> None:
        heard.set()

    gallery = open_gallery(pics, worker=True)

    @gallery.events.on(ImageReady, name="tests.hear_too")
    async def hear_too(event: Event[ImageReady]) -> None:
        heard_too.set()

    with gallery, gallery.events.subscribe(ANA) as events:
        added = gallery.uploads.add(ANA, picture(400, 300), filename="tram.jpg")
        ready = next(event.data for event in events if isinstance(event.data, ImageReady))
        assert ready.image_id == added.id
        assert heard.wait(60)
        assert heard_too.wait(60)


def test_it_is_opened_by_the_first_call_and_again_after_it_was_closed(settings: Settings) -> None:
    gallery = open_gallery(settings)
    assert not settings.data_dir.exists()
    lisbon = gallery.galleries.create(ANA, name="Lisbon")
    gallery.close()
    gallery.close()
    assert gallery.galleries.get(ANA, lisbon.id).name == "Lisbon"
    gallery.close()


def test_what_fails_at_opening_is_raised_by_each_call(tmp_path: Path) -> None:
    nowhere = DatabaseOptions(dsn=f"postgresql:///gallery?host={tmp_path}")
    gallery = open_gallery(attrs.evolve(Settings(data_dir=tmp_path / "data"), database=nowhere))
    for _ in range(2):
        with pytest.raises(Unavailable):
            gallery.ready()


def test_ctrl_c_cancels_what_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(Future[None]):
        def result(self, timeout: float | None = None) -> None:
            raise KeyboardInterrupt

    answer, portal = Interrupted(), Portal(asynccontextmanager(nothing))
    loop = SimpleNamespace(start_task_soon=lambda _: answer)
    monkeypatch.setattr(portal, "_open", lambda: SimpleNamespace(loop=loop))
    with pytest.raises(KeyboardInterrupt):
        portal.call(anyio.sleep_forever)
    assert answer.cancelled()


async def nothing() -> AsyncIterator[Any]:
    yield


async def test_the_other_gallery_says_that_it_is_of_another_loop(settings: Settings) -> None:
    async with ImageGallery.open(settings) as gallery:
        with pytest.raises(RuntimeError, match=r"imagegallery\.sync\.open_gallery"):
            await asyncio.to_thread(asyncio.run, gallery.galleries.list(ANA))


def run(program: str, settings: Settings) -> str:
    """What a process prints that ends well."""
    environment = {
        **os.environ,
        "IMAGEGALLERY_DATA_DIR": str(settings.data_dir),
        "IMAGEGALLERY_DATABASE_DSN": settings.database.required_dsn,
    }
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, check=True, stdout=subprocess.PIPE, text=True, timeout=120
    )
    return done.stdout


FORKING = """
import os
from imagegallery import Principal
from imagegallery.sync import open_gallery

gallery, ana = open_gallery(), Principal.user("ana")
lisbon = gallery.galleries.create(ana, name="Lisbon")
if (child := os.fork()) == 0:
    print(gallery.galleries.get(ana, lisbon.id).name, "in the child", flush=True)
    raise SystemExit
assert os.waitpid(child, 0)[1] == 0
print(gallery.galleries.get(ana, lisbon.id).name, "in the parent")
"""


def test_each_process_of_a_fork_opens_its_own_and_nobody_has_to_close_it(settings: Settings) -> None:
    assert run(FORKING, settings).splitlines() == ["Lisbon in the child", "Lisbon in the parent"]


FORKED = """
import asyncio, os
from imagegallery import ImageGallery, Principal, Settings

async def main():
    async with ImageGallery.open(Settings.from_env()) as gallery:
        if (child := os.fork()) == 0:
            try:
                await gallery.galleries.list(Principal.user("ana"))
            except RuntimeError as error:
                print(error, flush=True)
            os._exit(0)
        os.waitpid(child, 0)

asyncio.run(main())
"""


def test_the_other_gallery_says_in_a_fork_that_it_is_its_parents(settings: Settings) -> None:
    assert run(FORKED, settings) == (
        "This gallery was opened before the process was forked: open one in each process.\n"
    )


EMBEDDED = """
import os, sys
from pathlib import Path
from imagegallery import Settings
from imagegallery.sync import open_gallery

data_dir = Path(sys.argv[1])
gallery = open_gallery(Settings.embedded(data_dir))
gallery.ready()
theirs, ours = os.pipe()
if (child := os.fork()) == 0:
    os.close(ours)
    os.read(theirs, 1)  # until the parent is through
    os._exit(0)
assert [*data_dir.rglob("postmaster.pid")]
gallery.close()
assert not [*data_dir.rglob("postmaster.pid")]
gallery.ready()
gallery.close()
os.close(ours)
os.waitpid(child, 0)
"""


def test_a_fork_that_uses_no_gallery_is_in_nobodys_way(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", EMBEDDED, str(tmp_path / "data")], check=True, timeout=60)


def test_all_that_is_kept_of_somebody_comes_in_bytes(gallery: SyncGallery) -> None:
    gallery.uploads.add(ANA, picture(400, 300), filename="tram.jpg")
    export = gallery.exports.request(ANA)
    until(lambda: gallery.exports.get(ANA, export.id).state == "ready")
    archive = gallery.exports.archive(ANA, export.id)
    assert len(b"".join(archive.read())) == archive.size
    assert len(b"".join(archive.read(ByteRange(10, 30)))) == 20
    assert archive.name.endswith(".zip")
    gallery.exports.delete(ANA, export.id)
    erasure = gallery.erasures.request(ANA)
    assert [each.id for each in gallery.erasures.all()] == [erasure.id]
    gallery.erasures.cancel(ANA)
