"""What the child process is for: it may die, hang or be killed, and one request fails with a reason.

To have a child that does not answer, it is stopped (SIGSTOP) before it is asked.
"""

import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from tests.support import images

from imagegallery.errors import BadImage, ImageGalleryError, Unavailable
from imagegallery.imaging.limits import ImagingOptions
from imagegallery.imaging.protocol import ImagingEngine, Rendition
from imagegallery.imaging.sandbox import process, wire
from imagegallery.imaging.sandbox.engine import SandboxedEngine

Place = Callable[[bytes], Path]

SMALL = Rendition("small", 30, 30, "webp", 75, 4)
SLOW = Rendition("slow", 2_000, 2_000, "avif", 95, 9)
ONE = ImagingOptions(processes=1, threads=2)

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


async def stopped(engine: SandboxedEngine) -> process.DecoderProcess:
    """The first child of this engine; it does not answer what it is asked next."""
    await engine.walls()
    (child,) = engine._children
    os.kill(child.pid, signal.SIGSTOP)
    return child


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(60):
        while not condition():
            await anyio.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def has_bytes(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


async def reason_of(call: Callable[[], object]) -> str:
    with pytest.raises(BadImage) as caught:
        await call()  # type: ignore[misc]
    return caught.value.reason


async def works(engine: ImagingEngine, place: Place) -> bool:
    return (await engine.inspect(place(images.jpeg()), content_type="image/jpeg")).width == 64


async def test_a_child_killed_in_mid_render_fails_that_image_only(place: Place, into: Path) -> None:
    path = place(images.jpeg(2_000, 1_500))
    outcome: list[ImageGalleryError] = []

    async def render(engine: SandboxedEngine) -> None:
        try:
            await engine.render(path, (SMALL, SLOW), into, content_type="image/jpeg")
        except ImageGalleryError as error:
            outcome.append(error)

    async with SandboxedEngine.open(ONE) as engine:
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(render, engine)
                await until(lambda: has_bytes(into / "small.webp"))
                (pid,) = engine.pids
                os.kill(pid, signal.SIGKILL)
        assert isinstance(outcome[0], BadImage)
        assert outcome[0].failure.code == "decoder_crashed"
        assert list(into.iterdir()) == []
        assert await works(engine, place)
        assert engine.pids != {pid}


async def test_a_child_that_crashes_is_replaced(place: Place) -> None:
    path = place(images.jpeg())
    async with SandboxedEngine.open(ONE) as engine:
        child = await stopped(engine)
        reasons = []

        async def inspect() -> None:
            reasons.append(await reason_of(lambda: engine.inspect(path, content_type="image/jpeg")))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(inspect)
            await until(lambda: child.served == 1)
            os.kill(child.pid, signal.SIGSEGV)
            os.kill(child.pid, signal.SIGCONT)
        assert reasons == ["decoder_crashed"]
        assert await works(engine, place)


async def test_an_idle_child_that_died_costs_nobody_anything(place: Place) -> None:
    async with SandboxedEngine.open(ONE) as engine:
        assert await works(engine, place)
        (child,) = engine._idle
        os.kill(child.pid, signal.SIGKILL)
        await until(lambda: not child.alive)
        assert await works(engine, place)
        assert engine.pids != {child.pid}


async def test_past_its_deadline_a_child_is_killed(place: Place) -> None:
    options = ImagingOptions(processes=1, deadline=timedelta(seconds=0.05))
    path = place(images.jpeg())
    async with SandboxedEngine.open(options) as engine:
        await stopped(engine)
        assert await reason_of(lambda: engine.inspect(path, content_type="image/jpeg")) == "decoder_timeout"
        assert engine.pids == frozenset()


@needs_proc
async def test_owners_are_served_in_turn(place: Place) -> None:
    """While one picture of theirs is looked at, one owner sends two more: the one of another comes before the last."""
    path, served = place(images.jpeg()), list[str]()
    async with SandboxedEngine.open(ONE) as engine, anyio.create_task_group() as tasks:

        async def inspect(owner_id: str) -> None:
            await engine.inspect(path, content_type="image/jpeg", owner_id=owner_id)
            served.append(owner_id)

        child = await stopped(engine)
        for waiting, owner_id in enumerate(("hog", "hog", "hog", "ana")):
            tasks.start_soon(inspect, owner_id)
            await until(lambda waiting=waiting: engine._turns.waiting() == waiting)  # type: ignore[misc]
        os.kill(child.pid, signal.SIGCONT)
    assert served == ["hog", "hog", "ana", "hog"]


@needs_proc
async def test_cancellation_kills_the_child_and_leaves_no_file(place: Place, into: Path) -> None:
    path = place(images.jpeg(2_000, 1_500))
    async with SandboxedEngine.open(ONE) as engine:
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:

                async def render() -> None:
                    await engine.render(path, (SMALL, SLOW), into, content_type="image/jpeg")

                tasks.start_soon(render)
                await until(lambda: has_bytes(into / "small.webp"))
                (pid,) = engine.pids
                tasks.cancel_scope.cancel()
        assert not is_alive(pid)
        assert list(into.iterdir()) == []
        assert await works(engine, place)


async def test_an_image_that_fails_leaves_other_requests_alone(place: Place) -> None:
    path = place(images.jpeg())
    async with SandboxedEngine.open(ImagingOptions(processes=2)) as engine:
        child = await stopped(engine)
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lambda: engine.inspect(path, content_type="image/jpeg"))
                await until(lambda: child.served == 1)
                assert await works(engine, place)
                assert len(engine.pids) == 2
                tasks.cancel_scope.cancel()
        assert len(engine.pids) == 1


async def test_no_more_children_than_processes(place: Place) -> None:
    path = place(images.jpeg())
    async with SandboxedEngine.open(ONE) as engine:
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(lambda: engine.inspect(path, content_type="image/jpeg"))
        assert len(engine.pids) == 1


async def test_a_child_is_replaced_after_its_share_of_requests(place: Place) -> None:
    async with SandboxedEngine.open(ImagingOptions(processes=1, recycle_after=2)) as engine:
        assert await works(engine, place)
        first = engine.pids
        assert await works(engine, place)
        assert engine.pids == frozenset()
        assert await works(engine, place)
        assert engine.pids.isdisjoint(first)


@needs_proc
async def test_closing_ends_the_children(place: Place) -> None:
    async with SandboxedEngine.open() as engine:
        assert await works(engine, place)
        assert await works(engine, place)
        (pid,) = engine.pids  # a second one starts only when the first is busy
        assert is_alive(pid)
    assert not is_alive(pid)


@needs_proc
async def test_children_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    code = (
        "import anyio, pathlib, sys\n"
        "from imagegallery.imaging.sandbox.engine import SandboxedEngine\n"
        "async def main():\n"
        "    async with SandboxedEngine.open() as engine:\n"
        "        await engine.inspect(pathlib.Path(sys.argv[1]), content_type='image/jpeg')\n"
        "        print(*engine.pids, flush=True)\n"
        "        await anyio.sleep_forever()\n"
        "anyio.run(main)\n"
    )
    picture = tmp_path / "a.jpg"
    picture.write_bytes(images.jpeg())
    async with await anyio.open_process([sys.executable, "-c", code, str(picture)], stderr=None) as parent:
        assert parent.stdout is not None
        pid = int(await parent.stdout.receive())
        assert is_alive(pid)
        parent.kill()
        await parent.wait()
    await until(lambda: not is_alive(pid))


@needs_proc
async def test_a_child_knows_no_secret_and_has_its_limits(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    async with SandboxedEngine.open(ONE) as engine:
        assert await works(engine, place)
        (pid,) = engine.pids
        environment = Path(f"/proc/{pid}/environ").read_text()
        limits = Path(f"/proc/{pid}/limits").read_text()
        status = Path(f"/proc/{pid}/status").read_text()
    assert "hush" not in environment
    assert f"Max data size             {ONE.memory_limit}" in limits
    assert "Max core file size        0" in limits
    assert "NoNewPrivs:\t1" in status
    assert int(re.findall(r"Max processes +(\d+)", limits)[0]) < 1_000_000
    assert int(re.findall(r"CapEff:\t(\w+)", status)[0], 16) in (0, 1 << 2)  # CAP_DAC_READ_SEARCH, of root


async def test_a_child_that_talks_nonsense_is_not_believed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nonsense(self: process.DecoderProcess, *request: object) -> dict[str, object]:
        return {"width": -1, "height": 1, "frames": 1, "exif": ""}

    async with SandboxedEngine.open(ONE) as engine:
        with monkeypatch.context() as patch:
            patch.setattr(process.DecoderProcess, "ask", nonsense)
            path = place(images.jpeg())
            reason = await reason_of(lambda: engine.inspect(path, content_type="image/jpeg"))
        assert reason == "decoder_crashed"
        assert engine.pids == frozenset()
        assert await works(engine, place)


async def test_what_earlier_pictures_took_of_a_childs_memory_is_no_later_ones_fault(
    place: Place, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, ask = place(images.jpeg()), process.DecoderProcess.ask

    async def full(self: process.DecoderProcess, request: wire.Request, descriptors: Sequence[int]) -> object:
        answer = await ask(self, request, descriptors)
        if request.render and (self.served > 1 or always):
            raise process.DecoderDied("vips: out of memory")
        return answer

    monkeypatch.setattr(process.DecoderProcess, "ask", full)
    async with SandboxedEngine.open(ONE) as engine:
        always = False
        assert await works(engine, place)
        rendered = await engine.render(path, (SMALL,), into, content_type="image/jpeg")
        assert rendered.files[0].path.stat().st_size == rendered.files[0].size
        always = True
        assert await reason_of(lambda: engine.render(path, (SMALL,), into, content_type="image/jpeg")) == (
            "decoder_out_of_memory"
        )
        assert not any(into.iterdir())


async def test_a_decoder_that_does_not_start_is_not_the_pictures_fault(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    async with SandboxedEngine.open(ONE) as engine:
        with pytest.raises(Unavailable):
            await works(engine, place)


async def test_what_the_decoder_complains_of_is_logged(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="imagegallery.imaging")
    async with SandboxedEngine.open(ONE) as engine:
        path = place(images.png().replace(b"IDAT", b"IDAT\xff\xff"))
        assert await reason_of(lambda: engine.inspect(path, content_type="image/png")) == "undecodable"
    assert "libpng" in caplog.text


def test_a_child_starts_with_nothing_of_the_library_but_its_own_package_and_no_decoder_that_few_need() -> None:
    code = (
        "import runpy, sys\n"
        "runpy.run_path(sys.argv[1])\n"
        "import imagegallery.imaging.decoder.child\n"
        "print(sorted({name.split('.')[1] for name in sys.modules if name.startswith('imagegallery.')}))\n"
        "print([name for name in ('pillow_heif', 'PIL') if name in sys.modules])\n"
    )
    command = [sys.executable, "-c", code, str(process.BOOTSTRAP)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    assert answer.stdout.splitlines() == ["['errors', 'imaging']", "[]"]


def test_the_engine_is_imported_without_any_decoder() -> None:
    code = (
        "import sys, imagegallery.imaging.sandbox.engine as s;"
        "print([name for name in ('pyvips', 'PIL', 'pillow_heif') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert answer.stdout.strip() == "[]"


def test_only_allowed_loaders_are_left(tmp_path: Path) -> None:
    code = (
        "import sys, pyvips\n"
        "from imagegallery.imaging.decoder.vips import set_up\n"
        "for ending in ('tif', 'v', 'csv', 'png'):\n"
        "    pyvips.Image.black(3, 3).write_to_file(f'{sys.argv[1]}/a.{ending}')\n"
        "set_up()\n"
        "for ending, loader in (('tif', 'tiff'), ('v', 'vips'), ('csv', 'csv'), ('svg', 'svg'), ('png', 'png')):\n"
        "    try:\n"
        "        getattr(pyvips.Image, loader + 'load')(f'{sys.argv[1]}/a.{ending}')\n"
        "        print(ending, 'opened')\n"
        "    except pyvips.Error as error:\n"
        "        print(ending, 'blocked' if 'blocked' in str(error) else error)\n"
    )
    (tmp_path / "a.svg").write_bytes(images.svg())
    command = [sys.executable, "-c", code, str(tmp_path)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert answer.split("\n")[:5] == ["tif blocked", "v blocked", "csv blocked", "svg blocked", "png opened"]
