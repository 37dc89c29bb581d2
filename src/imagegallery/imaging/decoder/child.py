"""The decoder process: reads requests from stdin (a Unix socket), responds on stdout, and ends with its input.

`imagegallery.imaging.sandbox.process` starts it, through bootstrap.py. It opens no files: requests come with
descriptors, which are closed with the response.
"""

import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

import pyvips

from imagegallery.errors import BadImage, TypeMismatch
from imagegallery.imaging import decoder_errors
from imagegallery.imaging.decoder.inspection import inspect
from imagegallery.imaging.decoder.vips import explain, set_up
from imagegallery.imaging.formats.notes import read_sidecar
from imagegallery.imaging.formats.xmp import MAX_PACKET
from imagegallery.imaging.limits import ImagingOptions
from imagegallery.imaging.sandbox import wire
from imagegallery.imaging.sandbox.confinement import allow_cpu_time


def serve(options: ImagingOptions, walls: frozenset[wire.Wall]) -> None:
    """Serve until the input ends; ``walls`` are those in force."""
    answers = _take_stdout()
    set_up()
    _send(answers, wire.ready_message(walls))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=os.dup(0)) as requests:
        while (received := _receive(requests)) is not None:
            message, descriptors = received
            allow_cpu_time(options.deadline, options.threads)
            with _close_after(descriptors):
                answer = _answer(wire.read_request(message), descriptors, options)
            _send(answers, answer)


def _take_stdout() -> BinaryIO:
    """The stream for responses. Other output goes to stderr, where it cannot be mistaken for one."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _receive(requests: socket.socket) -> tuple[wire.WireMessage, Sequence[int]] | None:
    """A request and its descriptors, which come with the first byte of its prefix; None at the end."""
    prefix, descriptors, _, _ = socket.recv_fds(requests, wire.PREFIX_SIZE, wire.MAX_DESCRIPTORS)
    if len(prefix) < wire.PREFIX_SIZE:
        return None
    length = wire.body_length(prefix)
    body = bytearray()
    while len(body) < length and (piece := os.read(requests.fileno(), length - len(body))):
        body += piece
    return wire.unframe(bytes(body)), descriptors


@contextmanager
def _close_after(descriptors: Sequence[int]) -> Iterator[None]:
    try:
        yield
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _send(answers: BinaryIO, message: wire.WireMessage) -> None:
    answers.write(wire.frame(message))
    answers.flush()


def _answer(request: wire.Request, descriptors: Sequence[int], options: ImagingOptions) -> wire.WireMessage:
    """The result, or the error in its place. Unexpected errors end this process: see stderr."""
    try:
        return _result(request, descriptors, options)
    except TypeMismatch as error:
        fault = wire.FaultAnswer("type_mismatch", error.message)
    except BadImage as error:
        fault = wire.FaultAnswer(error.reason, error.message)
    except MemoryError:
        bad = decoder_errors.out_of_memory()
        fault = wire.FaultAnswer(bad.reason, bad.message)
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        fault = wire.FaultAnswer("unavailable", "The decoder could not read or write a file.")
    return wire.fault_message(fault)


def _result(request: wire.Request, descriptors: Sequence[int], options: ImagingOptions) -> wire.WireMessage:
    file, *outputs = descriptors
    if request.is_sidecar:
        return wire.words_message(read_sidecar(os.pread(file, MAX_PACKET + 1, 0)))
    if request.removal is not None:
        from imagegallery.imaging.removal.removal import remove  # as below: only who needs it loads it

        remove(file, outputs[0], request.removal)
        return wire.removal_message()
    try:
        if not request.render:
            return wire.inspection_message(inspect(request, file, options))
        from imagegallery.imaging.decoder.renditions import (
            render,  # with everything that encodes and hashes: not needed to inspect a file
        )

        return wire.render_message(render(request, file, outputs, options))
    except pyvips.Error as error:
        sys.stderr.write(f"{error}\n")
        raise explain(error, file, request.content_type) from error
