"""The version of libvips, without loading it here."""

import subprocess
import sys

import anyio

from imagegallery.errors import Unavailable

_PROGRAM = "import pyvips; print('.'.join(str(pyvips.version(part)) for part in range(3)))"


async def libvips_version() -> str:
    """Such as ``8.18.0``, from a process of its own. Raises `Unavailable` if it cannot be loaded."""
    try:
        done = await anyio.run_process([sys.executable, "-c", _PROGRAM])
    except subprocess.CalledProcessError as error:
        last_words = error.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise Unavailable(f"libvips cannot be loaded: {last_words}") from error
    return done.stdout.decode().strip()
