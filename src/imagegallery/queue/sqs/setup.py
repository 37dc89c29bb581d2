"""Make the queues that `SqsQueue` needs, or correct them."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from attrs import frozen

from imagegallery.queue.job import GIVE_UP_ATTEMPTS, QueueOptions
from imagegallery.queue.sqs.channel import translate_errors
from imagegallery.queue.sqs.names import DEAD, QueueStep, queue_name, queue_urls

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sqs.literals import QueueAttributeNameType

RETENTION: Final = timedelta(days=14)  # the longest there is
EVENT_RECEIVES: Final = 10

Attributes = Mapping["QueueAttributeNameType", str]


@frozen
class SqsSetup:
    """``client`` is an aiobotocore client of SQS. With ``dry_run`` it changes nothing."""

    client: "SQSClient"
    options: QueueOptions
    dry_run: bool = False

    async def run(self) -> list[QueueStep]:
        """Set up each dead-letter queue before the queues that use it. Raises `ConfigurationError` or `Unavailable`."""
        steps: list[QueueStep] = []
        if base := self.options.sqs.queue_url:
            names = [queue_name(url) for url in queue_urls(base).values()]
            steps += await self._family(names, receives(self.options))
        if events := self.options.sqs.events_url:
            steps += await self._family([queue_name(events)], EVENT_RECEIVES)
        return steps

    async def _family(self, names: Sequence[str], max_receives: int) -> list[QueueStep]:
        """Set up queues that share the dead-letter queue of the first one's name."""
        dead = await self._ensure(names[0] + DEAD, _basics())
        arn = await self._arn(dead.name, dead.url) if dead.url else None
        redrive: Attributes = {
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": max_receives})
        }
        timeout: Attributes = {"VisibilityTimeout": str(math.ceil(self.options.lease.total_seconds()))}
        return [dead, *[await self._ensure(name, {**_basics(), **timeout, **redrive}) for name in names]]

    async def _ensure(self, name: str, wanted: Attributes) -> QueueStep:
        url = await self._find(name)
        if url is None:
            return QueueStep(name, "create", None if self.dry_run else await self._create(name, wanted))
        with translate_errors(name):
            answer = await self.client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        different = difference(answer.get("Attributes", {}), wanted)
        if different and not self.dry_run:
            with translate_errors(name):
                await self.client.set_queue_attributes(QueueUrl=url, Attributes=dict(different))
        return QueueStep(name, "change" if different else "keep", url)

    async def _find(self, name: str) -> str | None:
        with translate_errors(name):
            try:
                answer = await self.client.get_queue_url(QueueName=name)
            except self.client.exceptions.QueueDoesNotExist:
                return None
        return str(answer["QueueUrl"])

    async def _create(self, name: str, attributes: Attributes) -> str:
        with translate_errors(name):
            answer = await self.client.create_queue(QueueName=name, Attributes=dict(attributes))
        return str(answer["QueueUrl"])

    async def _arn(self, name: str, url: str) -> str:
        with translate_errors(name):
            answer = await self.client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return answer["Attributes"]["QueueArn"]


def receives(options: QueueOptions) -> int:
    """How often a message may be received before it counts as foreign: well beyond what a job that kills its workers
    needs."""
    return 2 * (options.max_attempts + GIVE_UP_ATTEMPTS)


def difference(present: Attributes, wanted: Attributes) -> Attributes:
    """The wanted attributes that differ at present."""
    return {name: value for name, value in wanted.items() if _normal(present.get(name)) != _normal(value)}


def _normal(value: str | None) -> object:
    """Normalize attributes that are JSON: they come back with numbers as text and in another order."""
    if value is None or not value.startswith("{"):
        return value
    return {name: str(each) for name, each in json.loads(value).items()}


def _basics() -> Attributes:
    return {"MessageRetentionPeriod": str(math.ceil(RETENTION.total_seconds()))}
