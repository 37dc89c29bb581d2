"""What a feature brings to a gallery, and what it works with. `imagegallery.gallery` composes a list of them."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TypeAlias, TypeVar

from attrs import field, frozen

from imagegallery.cache.generations import GalleryChanges
from imagegallery.cache.stale_while_revalidate import RevalidatingCache
from imagegallery.clock import Clock
from imagegallery.common.background import TaskHealth
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.delivery.protocol import FolderCookies, ObjectUrls, ReadsCookies
from imagegallery.events.event import DomainEvent, EventTypes, by_type
from imagegallery.events.relay import Consumer
from imagegallery.holdings.holding import Holding
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.policies.in_force import PolicyInForce
from imagegallery.queue.attendance import Attendance
from imagegallery.queue.dispatch.relay import JobRelay
from imagegallery.queue.periodic import Periodic
from imagegallery.queue.protocol import JobHandler, JobOutbox, Mailbox, Queue
from imagegallery.rates.limiter import RateLimiter
from imagegallery.reconciliation.finding import Phase
from imagegallery.storage.protocol import ObjectStore, ServesDownloads, TemporaryFiles
from imagegallery.storage.space import Space

T = TypeVar("T")
Unclaimed: TypeAlias = Callable[[Connection, Sequence[str]], Awaitable[Collection[str]]]
Erases: TypeAlias = Callable[[Connection, str], Awaitable[int]]
Closes: TypeAlias = Callable[[Connection, str], Awaitable[None]]


class ByClass:
    """Values by their class."""

    def __init__(self, *values: object) -> None:
        self._values = {type(value): value for value in values}

    def __contains__(self, kind: type) -> bool:
        return kind in self._values

    def __getitem__(self, kind: type[T]) -> T:
        """Return it. Raises `LookupError` if no feature brings one."""
        found = self._values.get(kind)
        if not isinstance(found, kind):
            raise LookupError(f"No feature of this gallery brings {kind.__name__}.")
        return found

    def add(self, value: object) -> None:
        """Add it. Raises `ValueError` for a second one of its class."""
        if type(value) in self._values:
            raise ValueError(f"Two features bring {type(value).__name__}.")
        self._values[type(value)] = value


@frozen
class Resources:
    """What an open gallery works with: the adapters, as protocols, and what its features bring.

    ``downloads`` serves the signed URLs of this service, if it has any. ``folder_cookies`` are given to clients,
    ``own_cookies`` are those that this service reads. ``relay`` notifies workers, unless they poll the database;
    ``arrivals`` are the bucket's messages. ``upkeep_interval`` is the pause of periodic tasks that nobody waits for.
    ``policy`` is what administrators say. ``options`` has those of every feature; ``services`` those of the features
    before. ``registered`` is what the application registered: `imagegallery.registry`.
    """

    features: Sequence["Feature"]
    event_types: EventTypes
    options: ByClass
    upkeep_interval: timedelta
    database: Database
    store: ObjectStore
    downloads: ServesDownloads | None
    private_urls: ObjectUrls
    folder_cookies: FolderCookies
    own_cookies: ReadsCookies
    queue: Queue
    outbox: JobOutbox
    relay: JobRelay | None
    arrivals: Mailbox | None
    engine: ImagingEngine
    scratch: TemporaryFiles
    kept: RevalidatingCache
    changes: GalleryChanges
    rates: RateLimiter
    policy: PolicyInForce
    space: Space
    clock: Clock
    health: TaskHealth
    attendance: Attendance
    registered: ByClass = field(factory=ByClass)
    services: ByClass = field(factory=ByClass)


def _nothing(*_: object) -> tuple[()]:
    return ()


def _none_by_name(_: Resources) -> Mapping[str, "JobHandler"]:
    return {}


@frozen
class Feature:
    """What a feature brings; all of it is optional. Functions are called when the gallery is open.

    ``options`` is an attrs class, a group of the settings with the feature's name. ``events`` are the types of its
    events. ``services`` are objects that are found by their class (`ImageGallery.service`), also by later features.
    ``jobs`` are handlers by the kind of job; ``apart`` has slots of their own for kinds that mostly wait. One of all
    workers at a time does ``periodic`` tasks, unless they say otherwise. ``consumers`` make jobs of events. ``checks``
    are passes of `reconcile`, which do not judge what is younger than the given time. ``unclaimed`` returns those of
    some keys in images' folders that are not the feature's: an object that no feature claims is a stray.
    """

    name: str
    options: type | None = None
    events: tuple[type[DomainEvent], ...] = ()
    services: Callable[[Resources], Iterable[object]] = _nothing
    jobs: Callable[[Resources], Mapping[str, JobHandler]] = _none_by_name
    apart: Callable[[Resources], Mapping[str, int]] = lambda _: {}
    periodic: Callable[[Resources], Iterable[Periodic]] = _nothing
    consumers: Callable[[Resources], Iterable[Consumer]] = _nothing
    checks: Callable[[Resources, timedelta], Iterable[Phase]] = _nothing
    unclaimed: Unclaimed | None = None
    holdings: tuple[Holding, ...] = ()
    erases: Callable[[Resources], Iterable[Erases]] = _nothing
    closes: Callable[[Resources], Iterable[Closes]] = _nothing


def event_types(features: Sequence[Feature]) -> EventTypes:
    """The types of their events. Raises `ValueError` for two features with the same name, and as `by_type`."""
    names = [feature.name for feature in features]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"Two features have the name {twice[0]!r}.")
    return by_type(kind for feature in features for kind in feature.events)
