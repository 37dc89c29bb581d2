"""Stop without clients noticing: first readiness ends, then new connections, then requests in progress."""

import logging
import os
import signal
import threading
import time
from contextlib import suppress
from datetime import timedelta
from multiprocessing import parent_process
from multiprocessing.connection import wait
from typing import Any

from granian.server import MPServer

logger = logging.getLogger(__name__)

# Announces the end to serving processes; granian's and the loop's own signals are others.
DRAIN_SIGNAL = signal.SIGUSR1


class DrainingServer(MPServer):
    """Granian's server, which stops in steps after SIGTERM.

    For ``drain``, everything is still served while ``/readyz`` returns 503, so that load balancers look elsewhere. Then
    nothing new is accepted, and requests in progress have ``grace`` (whole seconds, at least one) to end. SIGINT skips
    the first step. Another signal of either kind ends everything at once.
    """

    def __init__(self, target: str, *, drain: timedelta, grace: timedelta, **options: Any) -> None:  # granian's own
        self._drain, self._grace = drain, max(1, int(grace.total_seconds()))
        super().__init__(target, workers_kill_timeout=self._grace, **options)
        self._is_stopping = False

    def startup(self, spawn_target: object, target_loader: object) -> None:
        # Processes inherit this, and so survive a signal that comes before they handle it.
        signal.signal(DRAIN_SIGNAL, signal.SIG_IGN)
        super().startup(spawn_target, target_loader)  # type: ignore[no-untyped-call]  # granian's

    def signal_handler_interrupt(self, *args: object, **kwargs: object) -> None:
        """Called with the number of the signal and the frame."""
        if self._is_stopping:
            self._stop_at_once()
        elif args[:1] == (signal.SIGTERM,) and self._drain:
            self._begin_drain()
        else:
            self._close()
        self._is_stopping = True

    def _stop_workers(self) -> None:
        """Granian's own method asks the process objects, which may report an ended process as alive: another thread
        also waits for it, and has not recorded the result. The sentinel comes from
        the operating system.
        """
        for worker in self.wrks:
            worker.terminate()
        end = time.monotonic() + self._grace
        for worker in self.wrks:
            if not wait([worker.inner.sentinel], max(0.0, end - time.monotonic())):
                logger.warning("requests that did not end in %d s are given up", self._grace)
                worker.kill()
            worker.join()
        self.wrks.clear()

    def _begin_drain(self) -> None:
        for worker in self.wrks:
            with suppress(ProcessLookupError):
                os.kill(worker.inner.pid, DRAIN_SIGNAL)
        end = threading.Timer(self._drain.total_seconds(), self._close)
        end.daemon = True
        end.start()

    def _close(self) -> None:
        super().signal_handler_interrupt()  # type: ignore[no-untyped-call]  # granian's

    def _stop_at_once(self) -> None:
        for worker in self.wrks:
            worker.kill()
        self._close()


def stop_with_parent() -> None:
    """End this process, as SIGTERM does, when its parent has ended, even by ``kill -9``."""
    parent = parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="stop-with-parent", daemon=True).start()
