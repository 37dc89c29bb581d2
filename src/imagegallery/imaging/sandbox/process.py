"""One decoder process, seen from outside: started, asked, ended. Nothing of it outlives `DecoderProcess.end`."""

import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Self

import anyio
from anyio.abc import ByteReceiveStream, Process, UNIXSocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from imagegallery.errors import Unavailable
from imagegallery.imaging.limits import ImagingOptions, to_json
from imagegallery.imaging.sandbox import wire

logger = logging.getLogger("imagegallery.imaging")

BOOTSTRAP = Path(__file__).parents[1] / "decoder" / "bootstrap.py"

START_DEADLINE = timedelta(seconds=30)
LAST_WORDS_DEADLINE = timedelta(seconds=2)
"""How long to wait for a dead process's stderr: its end comes at once unless something else holds the pipe."""

MAX_COMPLAINT = 8 * 1024
"""Bytes kept of a decoder's stderr: the end, where the reason is."""

# Enough to find Python, its packages and shared libraries again, and nothing else, which may contain secrets.
_INHERITED = ("PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")

_BROKEN = (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)


class DecoderDied(Exception):
    """The process ended, or sent nonsense, during a request; the argument is its stderr."""


class DecoderProcess:
    """A child that handles one request at a time. Must not be used after `DecoderDied` or a cancellation."""

    def __init__(self, process: Process, requests: UNIXSocketStream) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self._requests = requests
        self._answers = BufferedByteReceiveStream(process.stdout)
        self._stderr = process.stderr
        self.walls: frozenset[wire.Wall] = frozenset()
        self.served = 0  # requests, counted by the caller

    @classmethod
    async def start(cls, options: ImagingOptions) -> Self:
        """Start a child and wait until it is ready. Raises `Unavailable` otherwise."""
        ours, theirs = socket.socketpair()
        requests = await UNIXSocketStream.from_socket(ours)
        with theirs:
            process = await anyio.open_process(
                [sys.executable, "-P", str(BOOTSTRAP), to_json(options), str(os.getpid())],
                stdin=theirs.fileno(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_environment(options),
                start_new_session=True,  # Ctrl-C is for the parent, which ends its children in order
            )
        child = cls(process, requests)
        try:
            with anyio.fail_after(START_DEADLINE.total_seconds()):
                child.walls = wire.read_ready(await child._exchange(None, ()))
        except (DecoderDied, wire.ProtocolError, TimeoutError) as error:
            await child.end()
            logger.error("the image decoder does not start: %s", error)
            raise Unavailable("The image decoder does not start.") from error
        except BaseException:
            await child.end()
            raise
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def ask(self, request: wire.Request, descriptors: Sequence[int]) -> wire.WireMessage:
        """``descriptors`` are the open files of the request, see `sandbox.wire`. Raises `DecoderDied`."""
        return await self._exchange(wire.request_message(request), descriptors)

    async def end(self) -> None:
        """Kill the process and all that it started, and wait until it is gone, even if the caller is cancelled."""
        with anyio.CancelScope(shield=True):
            if self.alive:
                self._kill_group()
            await self._requests.aclose()
            await self._process.aclose()

    def _kill_group(self) -> None:
        """The group has the process's id. Not long after its end, when another process may have that id."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    async def _exchange(self, message: wire.WireMessage | None, descriptors: Sequence[int]) -> wire.WireMessage:
        """Send, if there is something to send, and receive, reading stderr meanwhile so that it never fills up."""
        answer: wire.WireMessage | None = None
        complaint = bytearray()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_collect, self._stderr, complaint)
            with suppress(wire.ProtocolError, *_BROKEN):
                if message is not None:
                    await self._send(wire.frame(message), descriptors)
                answer = await self._receive()
            tasks.cancel_scope.deadline = anyio.current_time() + (
                LAST_WORDS_DEADLINE.total_seconds() if answer is None else 0
            )
        text = complaint.decode(errors="replace").strip()
        if text:
            logger.debug("decoder %d: %s", self.pid, text)
        if answer is None:
            self._kill_group()
            raise DecoderDied(text)
        return answer

    async def _send(self, frame: bytes, descriptors: Sequence[int]) -> None:
        """Descriptors go with the prefix, which is never split."""
        await self._requests.send_fds(frame[: wire.PREFIX_SIZE], descriptors)
        await self._requests.send(frame[wire.PREFIX_SIZE :])

    async def _receive(self) -> wire.WireMessage:
        prefix = await self._answers.receive_exactly(wire.PREFIX_SIZE)
        return wire.unframe(await self._answers.receive_exactly(wire.body_length(prefix)))


async def _collect(stream: ByteReceiveStream, into: bytearray) -> None:
    """Keep the last bytes that arrive."""
    with suppress(*_BROKEN):
        async for chunk in stream:
            into += chunk
            del into[:-MAX_COMPLAINT]


def _environment(options: ImagingOptions) -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in _INHERITED if name in os.environ},
        "VIPS_CONCURRENCY": str(options.threads),
        # Each arena keeps what its thread has freed.
        "MALLOC_ARENA_MAX": "2",
        # Large pictures are kept in memory, which is limited: a decoder may only write its output files.
        "VIPS_DISC_THRESHOLD": "1024g",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
