"""The URL table, and nothing else. Paths are below the API's prefix; `OPERATIONAL` is at the root as well."""

from http import HTTPStatus

from imagegallery import (
    BadImage,
    ChecksumMismatch,
    Conflict,
    EmptyFile,
    EventsGone,
    InvalidInput,
    NotFound,
    ObjectNotFound,
    PreconditionFailed,
    QuotaExceeded,
    SignatureExpired,
    SignatureInvalid,
    SizeMismatch,
    TooLarge,
    TypeMismatch,
    UnsupportedType,
    UploadEnded,
    UploadExpired,
    UploadIncomplete,
)
from imagegallery_asgi import events, files, galleries, images, ops, uploads, webhooks
from imagegallery_asgi.answers import CursorList, GalleryDocument, ImageDocument, One, PageList
from imagegallery_asgi.errors import MalformedRequest, RangeNotSatisfiable, UnsupportedBody
from imagegallery_asgi.operations import Answer, Content, Operation
from imagegallery_asgi.pages import page_answers
from imagegallery_asgi.schemas import AddImages, UploadForm

_JSON = "application/json"
_IMAGE = Content("image/*")
_BYTES = Content("application/octet-stream")
_TEXT = Content("text/plain")

_WRONG_FILE = (EmptyFile, SizeMismatch, TypeMismatch, ChecksumMismatch, BadImage, QuotaExceeded)
_WRONG_UPLOAD = (MalformedRequest, UnsupportedBody, UnsupportedType, TooLarge, *_WRONG_FILE)

_REDIRECT = {302: Answer("The image is at `Location`.", headers=("Location",))}
_OBJECT = {
    200: Answer("The whole object.", (_IMAGE, _BYTES), headers=("ETag", "Last-Modified", "Accept-Ranges")),
    206: Answer("The range asked for.", (_IMAGE, _BYTES), headers=("ETag", "Content-Range")),
    304: Answer("Not changed since.", headers=("ETag",)),
}

GALLERIES = (
    Operation(
        "GET",
        "/galleries",
        galleries.list_galleries,
        "Galleries, newest first",
        answers=page_answers(CursorList[GalleryDocument]),
    ),
    Operation("POST", "/galleries", galleries.create, "Make a gallery", status=HTTPStatus.CREATED),
    Operation(
        "GET",
        "/galleries/{gallery_id}",
        galleries.get,
        "One gallery",
        raises=(NotFound,),
        answers=page_answers(One[GalleryDocument]),
    ),
    Operation("PATCH", "/galleries/{gallery_id}", galleries.update, "Change a gallery", raises=(NotFound,)),
    Operation("DELETE", "/galleries/{gallery_id}", galleries.delete, "Delete a gallery", raises=(NotFound,)),
    Operation(
        "GET",
        "/galleries/{gallery_id}/images",
        galleries.list_images,
        "Its images",
        raises=(NotFound,),
        answers=page_answers(CursorList[ImageDocument] | PageList[ImageDocument]),
    ),
    Operation(
        "POST",
        "/galleries/{gallery_id}/images",
        uploads.add,
        "Add images of the library (JSON), or upload one in a single call",
        raises=(NotFound, InvalidInput, *_WRONG_UPLOAD),
        consumes=(Content(_JSON, AddImages), Content("multipart/form-data", UploadForm), _IMAGE, _BYTES),
        answers={
            200: Answer("The images are in the gallery.", (Content(_JSON, One[GalleryDocument]),)),
            202: Answer("Uploaded; processing starts.", (Content(_JSON, One[ImageDocument]),), headers=("Location",)),
        },
    ),
    Operation(
        "POST",
        "/galleries/{gallery_id}/images/move",
        galleries.move,
        "Change the order: put images before or after another one",
        raises=(NotFound,),
    ),
    Operation(
        "POST",
        "/galleries/{gallery_id}/images/remove",
        galleries.remove_images,
        "Take images out; they stay in the library",
        raises=(NotFound,),
    ),
    Operation(
        "DELETE",
        "/galleries/{gallery_id}/images/{image_id}",
        galleries.remove_image,
        "Take an image out; it stays in the library",
        raises=(NotFound,),
    ),
)

UPLOADS = (
    Operation(
        "POST",
        "/uploads",
        uploads.create,
        "Begin an upload session",
        status=HTTPStatus.CREATED,
        raises=(NotFound, UnsupportedType, EmptyFile, QuotaExceeded),
    ),
    Operation("GET", "/uploads/{upload_id}", uploads.get, "One upload session", raises=(NotFound,)),
    Operation("DELETE", "/uploads/{upload_id}", uploads.cancel, "Give up an upload", raises=(NotFound, UploadEnded)),
    Operation(
        "PUT",
        "/uploads/{upload_id}/content",
        uploads.receive,
        "The file itself, where the session asks for it",
        raises=(NotFound, UploadExpired, UploadEnded, Conflict, *_WRONG_UPLOAD),
        consumes=(_IMAGE, _BYTES),
    ),
    Operation(
        "POST",
        "/uploads/{upload_id}/complete",
        uploads.complete,
        "Check the file and make it an image; may be repeated",
        status=HTTPStatus.ACCEPTED,
        raises=(NotFound, UploadExpired, UploadEnded, UploadIncomplete, TooLarge, *_WRONG_FILE),
    ),
)

IMAGES = (
    Operation("GET", "/images", images.list_images, "The library by time, or the trash"),
    Operation("GET", "/images/timeline", images.timeline, "How many images each month has"),
    Operation("GET", "/images/timeline/{month}", images.month, "All images of a month, in columns"),
    Operation(
        "POST",
        "/images/batch",
        images.batch,
        "Do one thing to up to 1,000 images; one result each",
        raises=(NotFound,),
    ),
    Operation("GET", "/images/{image_id}", images.get, "One image", raises=(NotFound,)),
    Operation("PATCH", "/images/{image_id}", images.update, "Change an image", raises=(NotFound,)),
    Operation(
        "DELETE",
        "/images/{image_id}",
        images.delete,
        "Move an image to the trash; from there, delete it for good",
        raises=(NotFound, Conflict),
    ),
    Operation(
        "POST",
        "/images/{image_id}/restore",
        images.restore,
        "Bring an image back from the trash; may be repeated",
        raises=(NotFound,),
    ),
    Operation(
        "POST",
        "/images/{image_id}/retry",
        images.retry,
        "Process a failed image again",
        status=HTTPStatus.ACCEPTED,
        raises=(NotFound, Conflict),
    ),
    Operation(
        "GET",
        "/images/{image_id}/view",
        images.view,
        "To the best variant for `Accept`",
        raises=(NotFound,),
        answers=_REDIRECT,
    ),
    Operation(
        "GET",
        "/images/{image_id}/download",
        images.download,
        "To the original, for its owner",
        raises=(NotFound,),
        answers=_REDIRECT,
    ),
)

EVENTS = (
    Operation(
        "GET",
        "/events",
        events.stream,
        "What happens to one's images and galleries, as server-sent events; does not end",
        raises=(EventsGone,),
        answers={200: Answer("Events, from now on or after an earlier one.", (Content(events.MEDIA_TYPE),))},
    ),
)

WEBHOOKS = (
    Operation("GET", "/webhooks", webhooks.list_webhooks, "All of one's webhooks, oldest first"),
    Operation(
        "POST",
        "/webhooks",
        webhooks.create,
        "Have events posted to an address",
        status=HTTPStatus.CREATED,
        raises=(Conflict,),
    ),
    Operation("GET", "/webhooks/{webhook_id}", webhooks.get, "One webhook", raises=(NotFound,)),
    Operation("DELETE", "/webhooks/{webhook_id}", webhooks.delete, "Deliver no more", raises=(NotFound,)),
    Operation(
        "POST",
        "/webhooks/{webhook_id}/enable",
        webhooks.enable,
        "Switch a webhook on again that failed too often",
        raises=(NotFound,),
    ),
)

FILES = (
    Operation(
        "GET",
        "/files/{key:path}",
        files.get_public,
        "A public variant",
        raises=(NotFound, ObjectNotFound, RangeNotSatisfiable),
        answers=_OBJECT,
        answers_head=True,
        needs_principal=False,
    ),
    Operation(
        "GET",
        "/objects/{token}",
        files.get_signed,
        "What a signed URL allows to read",
        raises=(SignatureInvalid, SignatureExpired, NotFound, ObjectNotFound, RangeNotSatisfiable),
        answers=_OBJECT,
        answers_head=True,
        needs_principal=False,
    ),
    Operation(
        "PUT",
        "/objects/{token}",
        files.put_signed,
        "The upload that a signed URL allows",
        raises=(
            SignatureInvalid,
            SignatureExpired,
            NotFound,
            UploadExpired,
            UploadEnded,
            PreconditionFailed,
            TooLarge,
            TypeMismatch,
            EmptyFile,
            UnsupportedBody,
        ),
        consumes=(_IMAGE,),
        answers={204: Answer("Stored; complete the session now.", headers=("ETag",))},
        needs_principal=False,
    ),
)

OPERATIONAL = (
    Operation("GET", "/healthz", ops.healthz, "Is the process alive?", needs_principal=False),
    Operation("GET", "/readyz", ops.readyz, "Can it work?", needs_principal=False),
    Operation(
        "GET",
        "/metrics",
        ops.metrics,
        "Counters for Prometheus",
        answers={200: Answer("The text exposition.", (_TEXT,))},
        needs_principal=False,
    ),
    Operation(
        "GET",
        "/openapi.json",
        ops.openapi,
        "This description",
        answers={200: Answer("An OpenAPI 3.1 document.", (Content(_JSON),))},
        needs_principal=False,
    ),
)

OPERATIONS = (*GALLERIES, *UPLOADS, *IMAGES, *EVENTS, *WEBHOOKS, *FILES, *OPERATIONAL)
