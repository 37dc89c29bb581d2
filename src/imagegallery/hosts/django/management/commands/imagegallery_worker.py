"""``manage.py imagegallery_worker``: make variants and do other queued jobs."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from imagegallery.hosts.django.conf import gallery


class WorkerCommand(BaseCommand):
    """Works until Ctrl-C or SIGTERM, with the handlers of events that the project's apps have registered."""

    help = "Make variants and do other queued jobs, until Ctrl-C or SIGTERM."

    def handle(self, *_: Any, **__: Any) -> None:
        told = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: told.set())
        with gallery, gallery.worker():
            self.stdout.write("Working.")
            told.wait()


Command = WorkerCommand  # the name that Django looks for
