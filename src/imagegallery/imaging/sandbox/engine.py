"""The imaging engine that the rest of the library uses: every file is decoded in a child process.

libvips and its codecs are a million lines of C that read what strangers send. Here they run with a memory limit, a
deadline, five loaders and no secrets, behind the walls of the kernel (see `confinement`). They get open files, no
paths. When one crashes or hangs, one image fails with a reason, and a new child takes the next. This module imports
none of them.
"""

import os
import stat
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import anyio
from anyio import to_thread

from imagegallery.errors import BadImage, ImageGalleryError, TypeMismatch, Unavailable
from imagegallery.imaging import decoder_errors
from imagegallery.imaging.limits import FORMATS, ImagingOptions, deadline_for, shortest_deadline
from imagegallery.imaging.protocol import FileWords, Inspection, Measurement, Removal, Rendered, RenderedFile, Rendition
from imagegallery.imaging.sandbox import wire
from imagegallery.imaging.sandbox.process import DecoderDied, DecoderProcess
from imagegallery.imaging.sandbox.turns import Turns

SIDECAR_TYPE = "application/rdf+xml"
CRASHED = "The decoder crashed on this picture."

_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
_WRITE = os.O_WRONLY | os.O_CLOEXEC | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW

Answer = TypeVar("Answer")


class _Refused(Exception):
    """The child reports a fault of the picture."""

    def __init__(self, fault: wire.FaultAnswer) -> None:
        super().__init__(fault.kind)
        self.fault = fault


class SandboxedEngine:
    """An `ImagingEngine` over a pool of child processes, which start on demand."""

    def __init__(self, options: ImagingOptions | None = None) -> None:
        self._options = options or ImagingOptions()
        self._turns = Turns(self._options.processes, self._options.max_waiting, self._options.max_waiting_per_owner)
        self._children: set[DecoderProcess] = set()
        self._idle: list[DecoderProcess] = []
        self._closed = False

    @property
    def pids(self) -> frozenset[int]:
        """The process ids of all children, busy or idle."""
        return frozenset(child.pid for child in self._children)

    @classmethod
    @asynccontextmanager
    async def open(cls, options: ImagingOptions | None = None) -> AsyncIterator[Self]:
        """Open an engine, whose children end with the block."""
        engine = cls(options)
        try:
            yield engine
        finally:
            await engine.aclose()

    async def inspect(self, path: Path, *, content_type: str, decode: bool = True, owner_id: str = "") -> Inspection:
        """See `ImagingEngine.inspect`. Also raises `Unavailable` if the decoder does not start, or there is no such
        file."""
        request = wire.Request(content_type, decode=decode)
        read = partial(wire.read_inspection, content_type=content_type)
        _, inspection = await self._ask(request, path, (), read, owner_id)
        return inspection

    async def render(
        self,
        path: Path,
        renditions: tuple[Rendition, ...],
        into: Path,
        *,
        content_type: str,
        measurements: Sequence[Measurement] = (),
        owner_id: str = "",
    ) -> Rendered:
        """See `ImagingEngine.render`. Files are named ``{name}.{format}``; if it raises, none is left.

        Also raises `Unavailable` if the decoder does not start, or a file could not be read or written.
        """
        paths = [_output(into, rendition) for rendition in renditions]
        request = wire.Request(content_type, True, renditions, tuple(map(_measure_request, measurements)))
        accepts = {each.name: each.accepts for each in measurements}
        read = partial(wire.read_rendered, count=len(renditions), accepts=accepts)
        try:
            header, answer = await self._ask(request, path, paths, read, owner_id)
            files = [
                await _made(rendition, output, made)
                for rendition, output, made in zip(renditions, paths, answer.made, strict=True)
            ]
        except BaseException:
            await _remove(paths)
            raise
        return Rendered(tuple(files), header, answer.measured, answer.is_truncated)

    async def remove_metadata(
        self, path: Path, into: Path, *, content_type: str, removal: Removal, owner_id: str = ""
    ) -> None:
        """See `ImagingEngine.remove_metadata`. Also raises `Unavailable` if the decoder does not start, or a file could
        not be read or written."""
        request = wire.Request(content_type, removal=removal)
        try:
            async with self._turns.taken(owner_id):
                await self._ask_one(await self._take(), request, path, (into,), wire.read_removed)
            if not (await anyio.Path(into).lstat()).st_size:
                raise BadImage("decoder_crashed", CRASHED)
        except BaseException:
            await _remove((into,))
            raise

    async def read_sidecar(self, path: Path, *, owner_id: str = "") -> FileWords:
        """See `ImagingEngine.read_sidecar`. Also raises `Unavailable` as `remove_metadata`."""
        request = wire.Request(SIDECAR_TYPE, is_sidecar=True)
        async with self._turns.taken(owner_id):
            return (await self._ask_one(await self._take(), request, path, (), wire.read_words))[1]

    async def aclose(self) -> None:
        """End every idle child; a busy one ends with its request."""
        self._closed = True
        while self._idle:
            await self._end(self._idle.pop())

    async def walls(self) -> frozenset[wire.Wall]:
        """The walls between a decoder and this machine. Raises `Unavailable` if it does not start."""
        async with self._turns.taken(owner_id=""):
            child = await self._take()
            await self._put_back(child, reusable=True)
            return child.walls

    async def _ask(
        self,
        request: wire.Request,
        path: Path,
        outputs: Sequence[Path],
        read: Callable[[wire.WireMessage], Answer],
        owner_id: str,
    ) -> tuple[Inspection, Answer]:
        """The header, and a child's result. Memory filled by earlier pictures is not this one's fault: then a new
        child is asked."""
        async with self._turns.taken(owner_id):
            child = await self._take()
            try:
                return await self._ask_one(child, request, path, outputs, read)
            except BadImage as error:
                if error.reason != "decoder_out_of_memory" or child.served == 1:
                    raise
            return await self._ask_one(await self._start(), request, path, outputs, read)

    async def _ask_one(
        self,
        child: DecoderProcess,
        request: wire.Request,
        path: Path,
        outputs: Sequence[Path],
        read: Callable[[wire.WireMessage], Answer],
    ) -> tuple[Inspection, Answer]:
        """Make one request to this child, which is only kept if its responses made sense."""
        child.served += 1
        reusable = False
        try:
            async with _open_files(path, outputs) as descriptors:
                header, message = await self._result(child, request, descriptors)
                answer = read(message)
            reusable = True
        except _Refused as refused:
            reusable = refused.fault.kind != "decoder_out_of_memory"
            raise _error(refused.fault) from None
        except wire.ProtocolError as error:
            raise BadImage("decoder_crashed", CRASHED) from error
        finally:
            await self._put_back(child, reusable=reusable)
        return header, answer

    async def _result(
        self, child: DecoderProcess, request: wire.Request, descriptors: Sequence[int]
    ) -> tuple[Inspection, wire.WireMessage]:
        """The header first, where there is one: it determines the deadline for the rest."""
        if request.is_sidecar:
            message = await self._message(child, request, descriptors, shortest_deadline(self._options))
            return Inspection(request.content_type, 0, 0, 0), message
        header = wire.Request(request.content_type, decode=False)
        message = await self._message(child, header, descriptors[:1], shortest_deadline(self._options))
        seen = wire.read_inspection(message, content_type=request.content_type)
        if request == header:
            return seen, message
        allowed = deadline_for(seen.width, seen.height, seen.frames, self._options)
        return seen, await self._message(child, request, descriptors, allowed)

    async def _message(
        self, child: DecoderProcess, request: wire.Request, descriptors: Sequence[int], allowed: timedelta
    ) -> wire.WireMessage:
        """The result. Raises `_Refused` for a fault that the child reports, and `BadImage` if it dies or takes too
        long: then it must not be used again."""
        deadline = allowed.total_seconds()
        try:
            with anyio.fail_after(deadline):
                message = await child.ask(request, descriptors)
        except TimeoutError as error:
            raise BadImage("decoder_timeout", f"The picture could not be decoded within {deadline:g} s.") from error
        except DecoderDied as error:
            if decoder_errors.is_out_of_memory(str(error)):
                raise decoder_errors.out_of_memory() from error
            raise BadImage("decoder_crashed", CRASHED) from error
        fault = wire.read_fault(message)
        if fault is not None:
            raise _Refused(fault)
        return message

    async def _take(self) -> DecoderProcess:
        while self._idle:
            child = self._idle.pop()
            if child.alive:
                return child
            await self._end(child)
        return await self._start()

    async def _start(self) -> DecoderProcess:
        child = await DecoderProcess.start(self._options)
        self._children.add(child)
        return child

    async def _put_back(self, child: DecoderProcess, *, reusable: bool) -> None:
        if reusable and not self._closed and child.served < self._options.recycle_after:
            self._idle.append(child)
        else:
            await self._end(child)

    async def _end(self, child: DecoderProcess) -> None:
        self._children.discard(child)
        await child.end()


def _error(fault: wire.FaultAnswer) -> ImageGalleryError:
    if fault.kind == "type_mismatch":
        return TypeMismatch(fault.message)
    if fault.kind == "unavailable":
        return Unavailable(fault.message)
    return BadImage(fault.kind, fault.message)


def _measure_request(measurement: Measurement) -> wire.MeasureRequest:
    run = measurement.run
    return wire.MeasureRequest(measurement.name, f"{run.__module__}:{run.__qualname__}", measurement.pixels)


def _output(into: Path, rendition: Rendition) -> Path:
    """The path of a rendition. Raises `ValueError`: renditions come from presets, not from users."""
    if rendition.format not in FORMATS:
        raise ValueError(f"no encoder for {rendition.format!r}; there are {', '.join(FORMATS)}")
    name = f"{rendition.name}.{rendition.format}"
    if Path(name).name != name:
        raise ValueError(f"{rendition.name!r} cannot name a file")
    return into / name


@asynccontextmanager
async def _open_files(path: Path, outputs: Sequence[Path]) -> AsyncIterator[Sequence[int]]:
    """Descriptors of the picture and of an empty file for each output. Raises `Unavailable`."""
    with ExitStack() as files:
        try:
            yield await to_thread.run_sync(_open, path, outputs, files)
        except OSError as error:
            raise Unavailable("The picture could not be read, or no file be made for a rendering.") from error


def _open(path: Path, outputs: Sequence[Path], files: ExitStack) -> Sequence[int]:
    descriptors = []
    for each, flags in ((path, _READ), *((output, _WRITE) for output in outputs)):
        descriptor = os.open(each, flags, 0o666)
        files.callback(os.close, descriptor)
        descriptors.append(descriptor)
    if not stat.S_ISREG(os.fstat(descriptors[0]).st_mode):
        raise OSError(f"{path} is no file")
    return descriptors


async def _made(rendition: Rendition, path: Path, made: wire.RenderReply) -> RenderedFile:
    """The file that the child reports, with its real size. Raises `BadImage` if it is empty."""
    size = (await anyio.Path(path).lstat()).st_size
    if size == 0:
        raise BadImage("decoder_crashed", CRASHED)
    return RenderedFile(rendition.name, path, made.width, made.height, size, made.frames)


async def _remove(paths: Sequence[Path]) -> None:
    with anyio.CancelScope(shield=True):
        for path in paths:
            await anyio.Path(path).unlink(missing_ok=True)
