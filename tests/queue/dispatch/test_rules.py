"""When a message is sent, and what one that comes is good for."""

import json
from datetime import timedelta
from uuid import UUID

import pytest
from tests.support.clock import START

from imagegallery.errors import ConfigurationError
from imagegallery.queue.dispatch.rules import (
    LONGEST_DELAY,
    LOST_AFTER,
    Dispatch,
    JobStatus,
    MessageAction,
    Urgency,
    decode,
    encode,
    fate,
)
from imagegallery.queue.job import PRIORITY_IDLE, PRIORITY_LOW, PRIORITY_NORMAL
from imagegallery.queue.sqs.names import queue_urls

SOON = START + timedelta(seconds=1)
ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")


@pytest.mark.parametrize(
    ("priority", "urgency"),
    [
        (PRIORITY_NORMAL + 5, Urgency.NORMAL),
        (PRIORITY_NORMAL, Urgency.NORMAL),
        (PRIORITY_NORMAL - 1, Urgency.LOW),
        (PRIORITY_LOW, Urgency.LOW),
        (PRIORITY_LOW - 1, Urgency.IDLE),
        (PRIORITY_IDLE, Urgency.IDLE),
    ],
)
def test_the_urgency_follows_from_the_priority(priority: int, urgency: Urgency) -> None:
    assert Urgency.of(priority) is urgency


@pytest.mark.parametrize(
    ("due_in", "delay"),
    [
        (timedelta(hours=-1), timedelta(0)),
        (timedelta(minutes=2), timedelta(minutes=2)),
        (timedelta(days=1), LONGEST_DELAY),
    ],
)
def test_a_message_is_kept_back_until_its_job_is_due(due_in: timedelta, delay: timedelta) -> None:
    dispatch = Dispatch(ID, "work", 0, START + due_in)
    assert dispatch.delay(START) == delay
    assert dispatch.lost_at(START) == START + delay + LOST_AFTER


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, MessageAction.DISCARD),
        (JobStatus(ID, "work", None), MessageAction.DISCARD),
        (JobStatus(ID, "work", SOON), MessageAction.LATER),
        (JobStatus(ID, "play", SOON), MessageAction.LATER),
        (JobStatus(ID, "play", START), MessageAction.OTHERS),
        (JobStatus(ID, "work", START), MessageAction.KEEP),
    ],
)
def test_what_becomes_of_a_message_follows_from_its_job(status: JobStatus | None, expected: MessageAction) -> None:
    assert fate(status, ["work"], START) is expected


def test_a_message_names_its_job_again() -> None:
    assert decode(encode(Dispatch(ID, "work", 0, START))) == ID


def test_what_a_later_version_adds_is_ignored() -> None:
    assert decode(json.dumps({"version": 1, "job": str(ID), "kind": "work", "trace": "abc"})) == ID


@pytest.mark.parametrize(
    "body",
    [
        "",
        "hello",
        "[]",
        "null",
        "{}",
        "[" * 100_000,
        json.dumps({"version": 2, "job": str(ID)}),
        json.dumps({"version": 1}),
        json.dumps({"version": 1, "job": 7}),
        json.dumps({"version": 1, "job": "7"}),
        json.dumps({"version": 1, "job": ID.hex}),
    ],
)
def test_a_message_that_is_not_ours_names_no_job(body: str) -> None:
    assert decode(body) is None


def test_the_queues_are_named_after_the_first_the_most_urgent_first() -> None:
    base = "https://sqs.eu-west-1.amazonaws.com/123456789012/gallery"
    assert list(queue_urls(base).values()) == [base, f"{base}-low", f"{base}-idle"]


@pytest.mark.parametrize(
    "url", ["gallery", "https://sqs.eu-west-1.amazonaws.com/1/jobs.fifo", "https://sqs", "x://a/b"]
)
def test_what_cannot_be_our_queue_is_said_at_once(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"queue\.sqs"):
        queue_urls(url)
