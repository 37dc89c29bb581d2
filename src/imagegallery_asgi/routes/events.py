"""What happens, as it happens."""

from imagegallery import Permission
from imagegallery.errors import EventsGone
from imagegallery_asgi.api import events
from imagegallery_asgi.framework.operations import Content, DeclaredAnswer, Operation

_STREAM = Content(
    events.MEDIA_TYPE,
    example=(
        "retry: 3000\n: alive\nid: 41\n\n"
        'id: 42\nevent: image.ready\ndata: {"id":"42","type":"image.ready","timestamp":"2026-06-01T12:30:00+00:00",'
        '"data":{"owner_id":"ana","image_id":"01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52"}}\n\n'
    ),
)

OPERATIONS = (
    Operation(
        "GET",
        "/events",
        events.stream,
        "What happens to one's images and galleries, as server-sent events; does not end",
        raises=(EventsGone,),
        needs_user=True,
        answers={200: DeclaredAnswer("Events, from now on or after an earlier one.", (_STREAM,))},
        permission=Permission.NONE,
    ),
)
