"""What every package's tests share: a database of their own, a clock they set, and no blocking of the event loop."""

import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import botocore
import pytest
import skimage.data
from blockbuster import BlockBuster
from hypothesis import settings
from PIL import ExifTags, Image
from tests.support.blocking import make_guard
from tests.support.clock import ManualClock
from tests.support.database import DatabaseServer
from tests.support.leftovers import Run, shared_database
from tests.support.servers.object_store import SharedObjectStore
from tests.support.servers.redis import RedisServer, running_redis
from tests.support.servers.service import RunningService, running_service
from tests.support.shared_engine import SharedEngine

from imagegallery.database.pool import Database, DatabaseOptions

# No deadline: how long an example takes says nothing on a busy machine.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

RUN = pytest.StashKey[Run]()
GUARD = pytest.StashKey[subprocess.Popen[bytes]]()

# What a backend does not promise, the other half of a pair, and what is the kernel's or the system's to have.
SKIPPED_IN_CI = re.compile(
    r"no way to send|lets no object grow|this queue (has|keeps)|does not|the extra `heic` is installed"
    r"|this kernel has only|systemd is not here"
)


def pytest_xdist_auto_num_workers() -> int:
    """Two for each processor: many tests wait, for servers and processes of their own."""
    return 2 * (os.cpu_count() or 1)


# What tells most tests that start a server or a process; and whole folders of them.
SLOW_FIXTURES = frozenset(
    (
        "database_server",
        "object_store_server",
        "redis_server",
        "sqs_server",
        "server",
        "service",
        "imaging_engine",
        "engine",
    )
)
SLOW_FOLDERS = frozenset(
    "cli client database documentation faults imaging javascript packaging redis support testing".split()  # noqa: SIM905
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="leave out nearly all that starts a server or a process")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--quick"):
        return
    slow = [
        item
        for item in items
        if not SLOW_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))
        or item.path.relative_to(Path(__file__).parent).parts[0] in SLOW_FOLDERS
    ]
    config.hook.pytest_deselected(items=slow)
    left_out = set(slow)
    items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    # A shell's background jobs ignore Ctrl-C, and so would every process that a test means to interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        run = Run.begin(config._tmp_path_factory.getbasetemp())  # type: ignore[attr-defined]
        config.stash[RUN], config.stash[GUARD] = run, run.guard()


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """A run that leaves processes behind has failed."""
    yield
    guard = session.config.stash.get(GUARD, None)
    if guard is not None:
        left = session.config.stash[RUN].settle(but=[guard.pid])
        if left:
            print("\nThe tests have left these processes behind:", *left.items(), sep="\n")
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        guard.communicate()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything is installed, a test that was not run has failed."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and "CI" in os.environ:
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        if not SKIPPED_IN_CI.search(reason):
            report.outcome, report.longrepr = "failed", f"{reason}: CI does not expect that"
    return report


@pytest.fixture(scope="session")
def guard() -> BlockBuster:
    return make_guard()


@pytest.fixture(autouse=True)
def blocking_calls_fail(guard: BlockBuster) -> Iterator[None]:
    """A call that blocks the event loop, made by this project's own packages, raises `blockbuster.BlockingError`."""
    guard.activate()
    yield
    guard.deactivate()


@pytest.fixture(scope="session", autouse=True)
def few_authorities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An AWS client reads the certificates of all authorities; none of the tests' talks TLS, so one will do."""
    bundle = tmp_path_factory.mktemp("authorities") / "one.pem"
    first, end, _ = Path(botocore.__file__).with_name("cacert.pem").read_text().partition("-----END CERTIFICATE-----\n")
    bundle.write_text(first + end)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_CA_BUNDLE", str(bundle))
        yield


@pytest.fixture
def clock() -> ManualClock:
    """Stands still until `ManualClock.advance`."""
    return ManualClock()


@pytest.fixture(scope="session")
def database_server() -> Iterator[DatabaseServer]:
    with shared_database() as server:
        yield server


@pytest.fixture
async def database_dsn(database_server: DatabaseServer) -> AsyncIterator[str]:
    """A fresh database with the whole schema, for this test alone."""
    async with database_server.clone() as dsn:
        yield dsn


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    """`Database.connect` on ``database_dsn``."""
    async with Database.connect(DatabaseOptions(dsn=database_dsn, max_size=5)) as database:
        yield database


@pytest.fixture(scope="session")
def object_store_server() -> Iterator[SharedObjectStore]:
    """The S3 server that all workers of this run share; ``options()`` is an unused place in it."""
    with SharedObjectStore.shared() as server:
        yield server


@pytest.fixture(scope="session")
def imaging_engine() -> Iterator[SharedEngine]:
    """Decoders for all tests of this process that do nothing to them but ask."""
    with SharedEngine.running() as engine:
        yield engine


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 12 MP JPEG of a real photograph, with a camera, a time with its offset and a place."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Pixelworks"
    exif[ExifTags.Base.Model] = "P-12"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2024:06:01 12:30:00"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.OffsetTimeOriginal] = "+01:00"
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitudeRef], place[ExifTags.GPS.GPSLatitude] = "N", (38.0, 42.0, 30.0)
    place[ExifTags.GPS.GPSLongitudeRef], place[ExifTags.GPS.GPSLongitude] = "W", (9.0, 8.0, 15.0)
    path = tmp_path_factory.mktemp("photo") / "tram.jpg"
    picture = Image.fromarray(skimage.data.astronaut()).resize((4000, 3000), Image.Resampling.BICUBIC)
    picture.save(path, quality=90, exif=exif)
    return path


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """`imagegallery serve` on a data directory of its own, for the tests of one file."""
    with running_service(tmp_path_factory.mktemp("service") / "data") as service:
        yield service


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    """A Redis server for the tests of one file, which may kill it and start it again."""
    with running_redis() as server:
        yield server
