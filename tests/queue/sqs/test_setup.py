"""Making the queues: as they should be, again and again, or only saying so."""

import json
from datetime import timedelta
from typing import Any

import attrs
import pytest
from tests.support.servers.sqs import AWS, ClockedSqsServer

from imagegallery.aws.clients import open_client
from imagegallery.errors import ConfigurationError
from imagegallery.queue.job import QueueOptions
from imagegallery.queue.sqs.connection import Sqs
from imagegallery.queue.sqs.names import QueueStep
from imagegallery.queue.sqs.setup import RETENTION, Attributes, difference, receives


@pytest.fixture
def options(sqs_server: ClockedSqsServer) -> QueueOptions:
    return QueueOptions(sqs=sqs_server.options())


async def set_up(options: QueueOptions, *, dry_run: bool = False) -> list[QueueStep]:
    async with Sqs.open(options, AWS) as sqs:
        return await sqs.set_up(dry_run=dry_run)


async def attributes(options: QueueOptions, url: str | None) -> dict[str, Any]:
    async with open_client("sqs", AWS, endpoint_url=options.sqs.endpoint_url) as client:
        answer = await client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        found: dict[str, Any] = answer["Attributes"]
        return found


async def test_three_queues_share_a_dead_letter_queue(options: QueueOptions) -> None:
    dead, normal, low, idle = await set_up(options)
    base = options.sqs.queue_url
    assert [each.url for each in (dead, normal, low, idle)] == [
        f"{base}{suffix}" for suffix in ("-dead", "", "-low", "-idle")
    ]
    arn = (await attributes(options, dead.url))["QueueArn"]
    for step in (normal, low, idle):
        made = await attributes(options, step.url)
        assert json.loads(made["RedrivePolicy"]) == {"deadLetterTargetArn": arn, "maxReceiveCount": receives(options)}
        assert int(made["MessageRetentionPeriod"]) == RETENTION.total_seconds()
        assert int(made["VisibilityTimeout"]) == options.lease.total_seconds()


async def test_once_more_changes_nothing(options: QueueOptions) -> None:
    assert {step.action for step in await set_up(options)} == {"create"}
    assert {step.action for step in await set_up(options)} == {"keep"}


async def test_what_is_not_as_it_should_be_is_changed(options: QueueOptions) -> None:
    await set_up(options)
    changed = attrs.evolve(options, lease=timedelta(minutes=2), max_attempts=9)
    assert [step.action for step in await set_up(changed)] == ["keep", "change", "change", "change"]
    made = await attributes(changed, changed.sqs.queue_url)
    assert int(made["VisibilityTimeout"]) == 120
    assert json.loads(made["RedrivePolicy"])["maxReceiveCount"] == receives(changed)


async def test_a_dry_run_makes_nothing(options: QueueOptions) -> None:
    assert {(step.action, step.url) for step in await set_up(options, dry_run=True)} == {("create", None)}
    await set_up(options)
    changed = attrs.evolve(options, lease=timedelta(minutes=2))
    assert "change" in {step.action for step in await set_up(changed, dry_run=True)}
    assert {step.action for step in await set_up(options)} == {"keep"}


async def test_the_queue_of_a_buckets_events_has_a_dead_letter_queue_of_its_own(sqs_server: ClockedSqsServer) -> None:
    events = sqs_server.options()
    options = QueueOptions(sqs=attrs.evolve(events, queue_url=None, events_url=events.queue_url))
    assert [step.url for step in await set_up(options)] == [f"{events.queue_url}-dead", events.queue_url]


async def test_without_a_name_nothing_can_be_made(sqs_server: ClockedSqsServer) -> None:
    with pytest.raises(ConfigurationError, match="No queue is named"):
        await set_up(QueueOptions(sqs=attrs.evolve(sqs_server.options(), queue_url=None)))


def test_a_policy_that_comes_back_in_a_form_of_its_own_is_the_same() -> None:
    """Amazon answers numbers as text."""
    wanted: Attributes = {"RedrivePolicy": '{"deadLetterTargetArn": "arn", "maxReceiveCount": 16}'}
    assert difference({"RedrivePolicy": '{"maxReceiveCount":"16","deadLetterTargetArn":"arn"}'}, wanted) == {}
    assert difference({"RedrivePolicy": '{"maxReceiveCount":"5","deadLetterTargetArn":"arn"}'}, wanted) == wanted
    assert difference({}, wanted) == wanted
