"""A webhook and its rules. Pure."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from attrs import field, frozen
from attrs.validators import ge, gt

from imagegallery.access.decision import Facts
from imagegallery.common.backoff import Backoff
from imagegallery.common.validation import Faults

MAX_URL: Final = 2000
_URL_PATH: Final = ("body", "url")
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


@frozen
class WebhookOptions:
    """Where events may be delivered, and how persistently.

    ``allow_private``: also to private addresses, except those where clouds give a machine its keys, and over plain
    HTTP: for services next to this one. A delivery must be answered within ``timeout`` and is tried ``max_attempts``
    times, at intervals that double from ``backoff_base`` up to ``backoff_limit``. A webhook whose last
    ``disable_failures`` attempts all failed, for at least ``disable_after``, is switched off.

    A worker makes at most ``max_at_once`` deliveries at once, besides its other jobs, ``max_at_once_per_owner`` of one
    owner and ``max_at_once_per_host`` to one host, so that unresponsive hosts keep few of them busy.
    """

    allow_private: bool = False
    max_per_owner: int = field(default=20, validator=ge(0))
    timeout: timedelta = field(default=timedelta(seconds=10), validator=gt(timedelta(0)))
    max_attempts: int = field(default=12, validator=ge(1))
    backoff_base: timedelta = field(default=timedelta(seconds=15), validator=ge(timedelta(0)))
    backoff_limit: timedelta = field(default=timedelta(hours=6), validator=ge(timedelta(0)))
    disable_failures: int = field(default=20, validator=ge(1))
    disable_after: timedelta = field(default=timedelta(days=1), validator=ge(timedelta(0)))
    max_at_once: int = field(default=64, validator=ge(1))
    max_at_once_per_owner: int = field(default=8, validator=ge(1))
    max_at_once_per_host: int = field(default=8, validator=ge(1))


@frozen
class Webhook:
    """The address that the events of its owner are sent to.

    Attributes:
        event_types: The types to send. Empty for all.
        failures: Consecutive failed attempts, the first at ``failing_since``.
        disabled_reason: Why it is not ``active``.
    """

    id: UUID
    owner_id: str
    url: str
    event_types: tuple[str, ...]
    active: bool
    disabled_reason: str | None
    failures: int
    failing_since: datetime | None
    created_at: datetime

    @property
    def facts(self) -> Facts:
        """The facts to decide access by: it is its owner's."""
        return Facts(self.owner_id)

    def wants(self, event_type: str, occurred_at: datetime) -> bool:
        """Whether to deliver an event: its type was requested, and it happened while the webhook existed."""
        return occurred_at >= self.created_at and (not self.event_types or event_type in self.event_types)

    def disabling_reason(self, error: str, now: datetime, options: WebhookOptions) -> str | None:
        """Why to switch it off after one more attempt failed ``now``, or ``None``."""
        failures, since = self.failures + 1, self.failing_since or now
        if failures < options.disable_failures or now - since < options.disable_after:
            return None
        return f"{failures} deliveries in a row failed since {since:%Y-%m-%d %H:%M} UTC, the last one: {error}"


@frozen
class WebhookTarget:
    """Where a URL leads. ``host`` is a name or an address, ``request_target`` path and query."""

    secure: bool
    host: str
    port: int
    authority: str
    request_target: str


def check_webhook(
    url: str, event_types: tuple[str, ...], known: Collection[str], options: WebhookOptions
) -> WebhookTarget:
    """Parse the URL. Raises `InvalidInput` with everything wrong about it, and about types that are not ``known``."""
    faults = Faults()
    for index, each in enumerate(event_types):
        if each not in known:
            faults.add(("body", "event_types", str(index)), f"must be one of {', '.join(known)}")
    parts = _split(url, faults)
    if parts is not None:
        _check_parts(parts, options, faults)
    faults.check()
    assert parts is not None, "it had a fault"
    return _target(parts)


def target_of(url: str) -> WebhookTarget:
    """Parse a URL that was checked before."""
    return _target(urlsplit(url))


def retry_delay(attempt: int, options: WebhookOptions) -> timedelta | None:
    """How long to wait after the ``attempt``-th failure, or ``None`` after the last one."""
    if attempt >= options.max_attempts:
        return None
    return Backoff(options.backoff_base, options.backoff_limit).after(attempt)


def refuse_address(reason: str) -> None:
    """Raise `InvalidInput` for a URL that leads to a forbidden address."""
    faults = Faults()
    faults.add(_URL_PATH, reason)
    faults.check()


def _split(url: str, faults: Faults) -> SplitResult | None:
    if not (url.isascii() and url.isprintable() and " " not in url and len(url) <= MAX_URL):
        faults.add(_URL_PATH, f"must be a URL of at most {MAX_URL:,} ASCII characters without white space")
        return None
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0  # reading the port may raise
    except ValueError:
        has_host = False
    if not has_host:
        faults.add(_URL_PATH, "must be a URL with a host")
        return None
    return parts


def _check_parts(parts: SplitResult, options: WebhookOptions, faults: Faults) -> None:
    schemes = ("https", "http") if options.allow_private else ("https",)
    if parts.scheme not in schemes:
        faults.add(_URL_PATH, f"must begin with {' or '.join(f'{each}://' for each in schemes)}")
    if parts.username is not None or parts.password is not None:
        faults.add(_URL_PATH, "must not hold a user name or password")
    if parts.fragment:
        faults.add(_URL_PATH, "must not have a fragment")


def _target(parts: SplitResult) -> WebhookTarget:
    path = parts.path or "/"
    return WebhookTarget(
        secure=parts.scheme == "https",
        host=parts.hostname or "",
        port=parts.port or _DEFAULT_PORTS.get(parts.scheme, 443),
        authority=parts.netloc.rpartition("@")[2],
        request_target=f"{path}?{parts.query}" if parts.query else path,
    )
