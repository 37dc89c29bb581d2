"""The decoder process: reads requests from stdin, answers on stdout, ends with its input.

Started by `imagegallery.imaging.process`, through bootstrap.py, with two arguments: the JSON of `limits.to_json`, and
the process id to die with.
"""

import os
import sys
from typing import BinaryIO

import pyvips

from imagegallery.errors import BadImage, TypeMismatch
from imagegallery.imaging import faults, wire
from imagegallery.imaging.confinement import allow_cpu_time, confine
from imagegallery.imaging.inspecting import inspect
from imagegallery.imaging.limits import ImagingOptions, from_json
from imagegallery.imaging.vips import explain, set_up


def main(limits: str, parent: str) -> None:
    """Serve until the input ends."""
    options = from_json(limits)
    requests, answers = sys.stdin.buffer, _take_stdout()
    confine(options.memory_limit, int(parent))
    set_up()
    _send(answers, wire.READY)
    while (message := _receive(requests)) is not None:
        allow_cpu_time(options.deadline, options.threads)
        _send(answers, _answer(wire.read_request(message), options))


def _take_stdout() -> BinaryIO:
    """The stream for answers. Anything else that is printed goes to stderr, where it cannot be mistaken for one."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _receive(requests: BinaryIO) -> wire.Message | None:
    prefix = requests.read(wire.PREFIX_SIZE)
    if len(prefix) < wire.PREFIX_SIZE:
        return None
    return wire.unframe(requests.read(wire.body_length(prefix)))


def _send(answers: BinaryIO, message: wire.Message) -> None:
    answers.write(wire.frame(message))
    answers.flush()


def _answer(request: wire.Request, options: ImagingOptions) -> wire.Message:
    """The result, or the fault that takes its place. What is not expected ends this process: see stderr."""
    try:
        return _result(request, options)
    except TypeMismatch as error:
        fault = wire.FaultAnswer("type_mismatch", error.message)
    except BadImage as error:
        fault = wire.FaultAnswer(error.reason, error.message)
    except MemoryError:
        bad = faults.out_of_memory()
        fault = wire.FaultAnswer(bad.reason, bad.message)
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        fault = wire.FaultAnswer("unavailable", "The decoder could not read or write a file.")
    return wire.fault_message(fault)


def _result(request: wire.Request, options: ImagingOptions) -> wire.Message:
    try:
        if request.into is None:
            return wire.inspection_message(inspect(request, options))
        from imagegallery.imaging.rendering import render  # and all that encodes and hashes: not to look at a file

        return wire.render_message(render(request, request.into, options))
    except pyvips.Error as error:
        sys.stderr.write(f"{error}\n")
        raise explain(error, request.path, request.content_type) from error


if __name__ == "__main__":
    main(*sys.argv[1:])
