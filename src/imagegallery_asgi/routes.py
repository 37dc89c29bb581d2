"""The URL table, and nothing else. Paths are below the API's prefix; `OPERATIONAL` is at the root as well."""

from http import HTTPStatus

from imagegallery import (
    BadImage,
    ChecksumMismatch,
    ChunkMismatch,
    Conflict,
    DuplicateImage,
    EmptyFile,
    EventsGone,
    InvalidInput,
    LengthMismatch,
    NotFound,
    ObjectNotFound,
    OffsetMismatch,
    PartMismatch,
    PreconditionFailed,
    QuotaExceeded,
    SignatureExpired,
    SignatureInvalid,
    SizeMismatch,
    TooLarge,
    TooManyUploads,
    TypeMismatch,
    UnsupportedType,
    UploadEnded,
    UploadExpired,
    UploadIncomplete,
    UploadInterrupted,
    UploadLocked,
    UploadRateExceeded,
)
from imagegallery_asgi import (
    duplicates,
    events,
    files,
    galleries,
    ietf_uploads,
    images,
    ops,
    resumable,
    tus,
    uploads,
    uppy,
    webhooks,
)
from imagegallery_asgi.answers import CursorList, GalleryDocument, ImageDocument, One, PageList
from imagegallery_asgi.errors import (
    DigestMismatch,
    MalformedRequest,
    RangeNotSatisfiable,
    UnsupportedBody,
    UnsupportedVersion,
    UploadGone,
)
from imagegallery_asgi.operations import Answer, Content, Operation
from imagegallery_asgi.pages import page_answers
from imagegallery_asgi.schemas import AddImages, CompleteUpload, ObjectForm, UploadForm

_JSON = "application/json"
_IMAGE = Content("image/*")
_BYTES = Content("application/octet-stream")
_TEXT = Content("text/plain")

_WRONG_FILE = (EmptyFile, SizeMismatch, TypeMismatch, ChecksumMismatch, BadImage, QuotaExceeded, DuplicateImage)
_LIMITED = (QuotaExceeded, TooManyUploads, UploadRateExceeded)
_WRONG_UPLOAD = (MalformedRequest, UnsupportedBody, UnsupportedType, TooLarge, *_WRONG_FILE)

_REDIRECT = {302: Answer("The image is at `Location`.", headers=("Location",))}
_OBJECT = {
    200: Answer("The whole object.", (_IMAGE, _BYTES), headers=("ETag", "Last-Modified", "Accept-Ranges")),
    206: Answer("The range asked for.", (_IMAGE, _BYTES), headers=("ETag", "Content-Range")),
    304: Answer("Not changed since.", headers=("ETag",)),
}
_STORED = {204: Answer("Stored. Complete the session now, unless it completes itself.", headers=("ETag",))}

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
        raises=(NotFound, InvalidInput, *_LIMITED, *_WRONG_UPLOAD),
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
        raises=(NotFound, UnsupportedType, EmptyFile, *_LIMITED, DuplicateImage),
    ),
    Operation("POST", "/uploads/check", duplicates.check, "Which of up to 1,000 files are in already, by SHA-256"),
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
        raises=(NotFound, UploadExpired, UploadEnded, UploadIncomplete, PartMismatch, TooLarge, *_WRONG_FILE),
        consumes=(Content(_JSON, CompleteUpload),),
        needs_body=False,
    ),
    Operation(
        "GET", "/uploads/{upload_id}/parts", uploads.list_parts, "The parts that have arrived", raises=(NotFound,)
    ),
    Operation(
        "POST",
        "/uploads/{upload_id}/parts/sign",
        uploads.sign_parts,
        "URLs for up to 100 parts: more of them, or new ones",
        raises=(NotFound, UploadExpired, UploadEnded),
    ),
)

_UPLOAD = Answer("How far it is.", headers=("Upload-Offset", "Cache-Control"))
_OPTIONS = {204: Answer("What is offered.", headers=("Tus-Version", "Tus-Extension", "Upload-Limit"))}
_PIECES = (Content(tus.MEDIA_TYPE), Content(ietf_uploads.MEDIA_TYPE))

RESUMABLE = (
    Operation(
        "POST",
        "/uploads/resumable",
        resumable.create,
        "Begin an upload that comes little by little (tus 1.0.0 or the IETF draft)",
        raises=(
            NotFound,
            *_LIMITED,
            UnsupportedVersion,
            UploadGone,
            UploadExpired,
            UploadLocked,
            UploadInterrupted,
            UploadIncomplete,
            OffsetMismatch,
            LengthMismatch,
            ChunkMismatch,
            DigestMismatch,
            *_WRONG_UPLOAD,
        ),
        consumes=(*_PIECES, _IMAGE),
        needs_body=False,
        answers={
            201: Answer("Begun, at `Location`.", headers=("Location", "Upload-Offset")),
            202: Answer("The whole file came with it: the image.", (Content(_JSON, One[ImageDocument]),)),
        },
    ),
    Operation(
        "OPTIONS",
        "/uploads/resumable",
        resumable.options,
        "What resumable uploads are offered",
        answers=_OPTIONS,
        needs_principal=False,
    ),
    Operation(
        "GET",
        "/uploads/resumable/{upload_id}",
        resumable.look,
        "How far an upload has come; completes one that was cut short after its last byte",
        raises=(
            NotFound,
            UnsupportedVersion,
            UploadGone,
            UploadExpired,
            UploadLocked,
            UploadIncomplete,
            TooLarge,
            *_WRONG_FILE,
        ),
        answers={204: _UPLOAD},
        answers_head=True,
    ),
    Operation(
        "PATCH",
        "/uploads/resumable/{upload_id}",
        resumable.append,
        "More bytes of an upload; the last ones make it an image",
        raises=(
            NotFound,
            UnsupportedVersion,
            UploadGone,
            UploadExpired,
            UploadLocked,
            UploadInterrupted,
            UploadIncomplete,
            OffsetMismatch,
            LengthMismatch,
            ChunkMismatch,
            DigestMismatch,
            *_WRONG_UPLOAD,
        ),
        consumes=_PIECES,
        needs_body=False,
        answers={
            202: Answer("The image (IETF draft).", (Content(_JSON, One[ImageDocument]),)),
            204: Answer("As far as `Upload-Offset`.", headers=("Upload-Offset",)),
        },
    ),
    Operation(
        "DELETE",
        "/uploads/resumable/{upload_id}",
        resumable.terminate,
        "Give up an upload; an image that it has become stays",
        raises=(NotFound, UnsupportedVersion, UploadGone, UploadLocked),
        answers={204: Answer("Given up.")},
    ),
    Operation(
        "OPTIONS",
        "/uploads/resumable/{upload_id}",
        resumable.upload_options,
        "What resumable uploads are offered",
        answers=_OPTIONS,
        needs_principal=False,
    ),
)

UPPY = (
    Operation(
        "GET",
        "/uploads/uppy/s3/params",
        uppy.params,
        "Begin an upload in one request, for Uppy",
        raises=(InvalidInput, NotFound, UnsupportedType, EmptyFile, TooLarge, *_LIMITED),
        tells_message=True,
    ),
    Operation(
        "POST",
        "/uploads/uppy/s3/multipart",
        uppy.create_multipart,
        "Begin an upload in parts, for Uppy",
        raises=(NotFound, UnsupportedType, EmptyFile, *_LIMITED),
        tells_message=True,
    ),
    Operation(
        "GET",
        "/uploads/uppy/s3/multipart/{upload_id}",
        uppy.list_parts,
        "The parts that have arrived, for Uppy",
        raises=(NotFound,),
        tells_message=True,
    ),
    Operation(
        "DELETE",
        "/uploads/uppy/s3/multipart/{upload_id}",
        uppy.abort_multipart,
        "Give up an upload in parts, for Uppy",
        raises=(NotFound, UploadEnded),
        tells_message=True,
    ),
    Operation(
        "GET",
        "/uploads/uppy/s3/multipart/{upload_id}/batch",
        uppy.sign_parts,
        "URLs for some parts, for Uppy",
        raises=(NotFound, UploadExpired, UploadEnded),
        tells_message=True,
    ),
    Operation(
        "POST",
        "/uploads/uppy/s3/multipart/{upload_id}/complete",
        uppy.complete_multipart,
        "Join the parts and make them an image, for Uppy",
        raises=(NotFound, UploadExpired, UploadEnded, UploadIncomplete, PartMismatch, TooLarge, *_WRONG_FILE),
        tells_message=True,
    ),
    Operation(
        "GET",
        "/uploads/uppy/s3/multipart/{upload_id}/{number}",
        uppy.sign_part,
        "The URL of one part, for Uppy",
        raises=(NotFound, UploadExpired, UploadEnded),
        tells_message=True,
    ),
)

IMAGES = (
    Operation("GET", "/images", images.list_images, "The library by time, or the trash"),
    Operation("GET", "/images/duplicates", duplicates.list_duplicates, "Images that look like earlier ones"),
    Operation(
        "POST",
        "/images/duplicates/dismiss",
        duplicates.dismiss,
        "Keep two images that look alike: never list them as a pair again",
        raises=(NotFound,),
    ),
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
            *_WRONG_FILE,
            ObjectNotFound,
            UnsupportedBody,
        ),
        consumes=(_IMAGE, _BYTES),
        answers=_STORED,
        needs_principal=False,
    ),
    Operation(
        "POST",
        "/objects/{token}",
        files.post_signed,
        "The same upload as a form",
        raises=(
            SignatureInvalid,
            SignatureExpired,
            MalformedRequest,
            InvalidInput,
            NotFound,
            UploadExpired,
            UploadEnded,
            PreconditionFailed,
            TooLarge,
            *_WRONG_FILE,
            ObjectNotFound,
            UnsupportedBody,
        ),
        consumes=(Content("multipart/form-data", ObjectForm),),
        answers=_STORED,
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

OPERATIONS = (*GALLERIES, *UPLOADS, *RESUMABLE, *UPPY, *IMAGES, *EVENTS, *WEBHOOKS, *FILES, *OPERATIONAL)
