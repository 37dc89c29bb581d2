"""Stopping the processes that serve: which of them has ended is the operating system's to say."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.process import BaseProcess

import pytest
from attrs import frozen

from imagegallery_asgi.draining import DrainingServer

GIVEN_UP = "are given up"


@frozen
class Worker:
    """What granian keeps of a process that serves."""

    inner: BaseProcess

    def terminate(self) -> None:
        self.inner.terminate()

    def kill(self) -> None:
        self.inner.kill()

    def join(self) -> None:
        self.inner.join()


@contextmanager
def waiting_process() -> Iterator[BaseProcess]:
    """One that does nothing until a signal comes that it does not ignore."""
    process = multiprocessing.get_context("spawn").Process(target=signal.pause)
    process.start()
    try:
        yield process
    finally:
        process.kill()


def stop(process: BaseProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    server = DrainingServer("nowhere:app", drain=timedelta(0), grace=timedelta(seconds=1))
    monkeypatch.setattr(server, "wrks", [Worker(process)])
    server._stop_workers()


def test_a_process_that_another_thread_saw_end_is_not_taken_for_one_that_refuses_to(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with waiting_process() as process:
        process.terminate()
        os.waitpid(process.pid or 0, 0)
        assert process.is_alive()  # as far as the object knows
        stop(process, monkeypatch)
    assert GIVEN_UP not in caplog.text


def test_a_process_that_does_not_stop_is_killed_when_its_time_is_over(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # inherited
    try:
        with waiting_process() as process:
            stop(process, monkeypatch)
            assert process.exitcode == -signal.SIGKILL
    finally:
        signal.signal(signal.SIGTERM, before)
    assert GIVEN_UP in caplog.text
