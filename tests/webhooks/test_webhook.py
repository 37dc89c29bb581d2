"""Which webhooks there can be, and what becomes of those that fail."""

from datetime import timedelta

import pytest
from tests.support.clock import START

from imagegallery.errors import InvalidInput
from imagegallery.gallery import EVENT_TYPES
from imagegallery.ids import new_id
from imagegallery.webhooks.webhook import Webhook, WebhookOptions, WebhookTarget, check_webhook, retry_delay

STRICT, LAX = WebhookOptions(), WebhookOptions(allow_private=True)


def hook(**changes: object) -> Webhook:
    values: dict[str, object] = {
        "id": new_id(),
        "owner_id": "ana",
        "url": "https://example.org/",
        "event_types": (),
        "active": True,
        "disabled_reason": None,
        "failures": 0,
        "failing_since": None,
        "created_at": START,
    }
    return Webhook(**{**values, **changes})  # type: ignore[arg-type]


def test_where_a_url_leads() -> None:
    assert check_webhook("https://example.org:8443/a/b?c=d", ("image.ready",), EVENT_TYPES, STRICT) == WebhookTarget(
        secure=True, host="example.org", port=8443, authority="example.org:8443", request_target="/a/b?c=d"
    )
    assert check_webhook("http://[::1]", (), EVENT_TYPES, LAX) == WebhookTarget(
        secure=False, host="::1", port=80, authority="[::1]", request_target="/"
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "ftp://example.org/",
        "example.org",
        "https://",
        "https:///path",
        "https://user:secret@example.org/",
        "https://example.org/#part",
        "https://example.org:99999/",
        "https://example.org:0/",
        "https://exa mple.org/",
        "https://example.org/\r\nHost: elsewhere",
        "https://exämple.org/",
        "https://[::1",
        "https://example.org/" + "x" * 2000,
    ],
)
def test_urls_that_cannot_be(url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_webhook(url, (), EVENT_TYPES, STRICT)
    assert {fault.path for fault in caught.value.faults} == {("body", "url")}


def test_everything_wrong_is_named_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_webhook("ftp://example.org/", ("image.ready", "image.painted"), EVENT_TYPES, STRICT)
    assert [fault.path for fault in caught.value.faults] == [("body", "event_types", "1"), ("body", "url")]


def test_what_a_webhook_wants() -> None:
    assert hook().wants("image.ready", START)
    assert not hook().wants("image.ready", START - timedelta(seconds=1)), "that was before its time"
    assert not hook(event_types=("image.failed",)).wants("image.ready", START)


def test_attempts_come_at_growing_intervals_and_end() -> None:
    options = WebhookOptions(max_attempts=4, backoff_base=timedelta(seconds=10), backoff_limit=timedelta(seconds=30))
    delays = [retry_delay(attempt, options) for attempt in (1, 2, 3, 4)]
    assert delays == [timedelta(seconds=10), timedelta(seconds=20), timedelta(seconds=30), None]


@pytest.mark.parametrize(
    ("failures", "since", "is_disabled"),
    [
        (100, timedelta(hours=1), False),  # a short outage on a busy day
        (1, timedelta(days=9), False),  # hardly ever used
        (19, timedelta(days=1), True),
    ],
)
def test_many_failures_over_a_long_time_switch_it_off(failures: int, since: timedelta, is_disabled: bool) -> None:
    failing = hook(failures=failures, failing_since=START - since)
    reason = failing.disabling_reason("The receiver answered 500.", START, STRICT)
    assert (reason is not None) is is_disabled
