"""A bucket's messages about new objects. Pure.

Supported are S3's own event messages (Amazon S3 User Guide, "Event message structure"), their form from Amazon
EventBridge ("EventBridge event message structure"), and both inside a notification of Amazon SNS.
"""

import json
from collections.abc import Mapping, Sequence
from urllib.parse import unquote_plus

from attrs import frozen

Json = Mapping[str, object]


@frozen
class CreatedObject:
    """``key`` is the object's whole key in its bucket."""

    bucket: str
    key: str


def created_objects(body: str) -> Sequence[CreatedObject] | None:
    """The objects of a message: none for a test message or another event, ``None`` for a message that is not a
    bucket's."""
    document = _parsed(body)
    if document is None:
        return None
    if document.get("Type") == "Notification" and isinstance(document.get("Message"), str):
        return created_objects(str(document["Message"]))
    if document.get("Event") == "s3:TestEvent":
        return ()
    if document.get("source") == "aws.s3":
        return _of_event_bridge(document)
    records = document.get("Records")
    return _of_s3(records) if isinstance(records, list) else None


def _of_s3(records: Sequence[object]) -> Sequence[CreatedObject] | None:
    created = []
    for record in records:
        if _text(record, "eventSource") != "aws:s3":
            return None
        if not (_text(record, "eventName") or "").removeprefix("s3:").startswith("ObjectCreated:"):
            continue
        bucket, key = _text(record, "s3", "bucket", "name"), _text(record, "s3", "object", "key")
        if bucket is None or key is None:
            return None
        # URL-encoded as in a form: a space is a plus.
        created.append(CreatedObject(bucket, unquote_plus(key)))
    return created


def _of_event_bridge(document: Json) -> Sequence[CreatedObject] | None:
    if document.get("detail-type") != "Object Created":
        return ()
    bucket, key = _text(document, "detail", "bucket", "name"), _text(document, "detail", "object", "key")
    return None if bucket is None or key is None else [CreatedObject(bucket, key)]


def _parsed(body: str) -> Json | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _text(value: object, *path: str) -> str | None:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None
