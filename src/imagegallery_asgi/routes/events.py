"""What happens, as it happens."""

from imagegallery import EventsGone
from imagegallery_asgi import events
from imagegallery_asgi.operations import Answer, Content, Operation

OPERATIONS = (
    Operation(
        "GET",
        "/events",
        events.stream,
        "What happens to one's images and galleries, as server-sent events; does not end",
        raises=(EventsGone,),
        needs_user=True,
        answers={200: Answer("Events, from now on or after an earlier one.", (Content(events.MEDIA_TYPE),))},
    ),
)
