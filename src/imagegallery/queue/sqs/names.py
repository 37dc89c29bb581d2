"""The names of our queues, all derived from one. Pure."""

from urllib.parse import urlsplit

from attrs import frozen

from imagegallery.errors import ConfigurationError
from imagegallery.queue.dispatch.rules import Urgency

_SUFFIXES = {Urgency.NORMAL: "", Urgency.LOW: "-low", Urgency.IDLE: "-idle"}
DEAD = "-dead"


@frozen
class QueueStep:
    """What was, or would be, done about one queue: ``create``, ``change`` or ``keep``."""

    name: str
    action: str
    url: str | None


def queue_urls(base: str) -> dict[Urgency, str]:
    """The URL of each urgency's queue, most urgent first. Raises `ConfigurationError`."""
    queue_name(base)
    return {urgency: f"{base}{suffix}" for urgency, suffix in _SUFFIXES.items()}


def queue_name(url: str) -> str:
    """The name at the end of a queue's URL. Raises `ConfigurationError` for an impossible one."""
    parts = urlsplit(url)
    name = parts.path.rpartition("/")[2]
    if parts.scheme not in ("http", "https") or not name:
        raise ConfigurationError("queue.sqs needs whole URLs: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME.")
    if name.endswith(".fifo"):
        raise ConfigurationError("queue.sqs needs standard queues, not FIFO ones.")
    return name
