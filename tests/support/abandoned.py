"""A test that waits for ever among all that tests start. It is run, and its pytest killed, by ``test_leftovers``."""

import os
import subprocess
import threading
from pathlib import Path

from tests.support.database import DatabaseServer
from tests.support.leftovers import MARK


def test_it_is_never_through(database_server: DatabaseServer) -> None:
    with subprocess.Popen(["sleep", "3600"]):
        Path(os.environ["TMPDIR"], "mark").write_text(os.environ[MARK])
        threading.Event().wait()
