"""What a message says: which job to look at. Pure.

``{"version": 1, "job": "<id>", "kind": "process"}``; the kind is for people who read a queue. Whatever a later version
adds under the same number is ignored.
"""

import json
from uuid import UUID

from imagegallery.ids import parse_id
from imagegallery.queue.dispatch.rules import Dispatch

VERSION = 1


def encode(dispatch: Dispatch) -> str:
    return json.dumps({"version": VERSION, "job": str(dispatch.job_id), "kind": dispatch.kind})


def decode(body: str) -> UUID | None:
    """The job's id; ``None`` if the message is not one of ours, or of a version that we do not know."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or document.get("version") != VERSION:
        return None
    job = document.get("job")
    return parse_id(job) if isinstance(job, str) else None
