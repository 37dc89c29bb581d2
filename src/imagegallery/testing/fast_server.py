"""A PostgreSQL server for tests: as fast as it can be, and nothing survives a power failure."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

FAST: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",  # it would connect to templates, and change plans at its own time
    "jit": "off",
    "max_connections": "400",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "1h",
}

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of ours in it is private
ENOUGH_MEMORY: Final = 2 * 2**30


def fastest_place() -> Path:
    """Where temporary files belong; in memory, if nobody has said otherwise and there is room."""
    is_roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ENOUGH_MEMORY
    return MEMORY if is_roomy and "TMPDIR" not in os.environ else Path(tempfile.gettempdir())
