"""Upload sessions."""

from http import HTTPStatus

from imagegallery import (
    Conflict,
    DuplicateImage,
    NotFound,
    Permission,
    TooLarge,
    UnsupportedType,
    UploadEnded,
    UploadExpired,
    UploadIncomplete,
)
from imagegallery.access.permission import OWNER
from imagegallery.errors import EmptyFile, PartMismatch, UploadLocked
from imagegallery_asgi.api import duplicates, uploads
from imagegallery_asgi.api.requests import CompleteUpload
from imagegallery_asgi.framework.operations import JSON, Content, Operation, Repeats
from imagegallery_asgi.routes.common import BYTES, IMAGE, LIMITED, LONG_LIST, WRONG_FILE, WRONG_UPLOAD

OPERATIONS = (
    Operation(
        "POST",
        "/uploads",
        uploads.create,
        "Begin an upload session",
        status=HTTPStatus.CREATED,
        raises=(NotFound, UnsupportedType, EmptyFile, *LIMITED, DuplicateImage, UploadLocked),
        repeats=Repeats.KEYED,
        permission=Permission.NONE,
    ),
    Operation(
        "GET",
        "/uploads",
        uploads.list_open,
        "One's open uploads, newest first: `DELETE` gives one up",
        needs_user=True,
        permission=Permission.NONE,
    ),
    Operation(
        "POST",
        "/uploads/check",
        duplicates.check,
        "Which of up to 1,000 files are in already, by SHA-256",
        json_limit=LONG_LIST,
        permission=Permission.NONE,
    ),
    Operation(
        "GET",
        "/uploads/{upload_id}",
        uploads.get,
        "One upload session",
        raises=(NotFound,),
        needs_user=True,
        permission=OWNER,
    ),
    Operation(
        "DELETE",
        "/uploads/{upload_id}",
        uploads.cancel,
        "Give up an upload",
        raises=(NotFound, UploadEnded),
        permission=OWNER,
    ),
    Operation(
        "PUT",
        "/uploads/{upload_id}/content",
        uploads.receive,
        "The file itself, where the session asks for it",
        raises=(NotFound, UploadExpired, UploadEnded, Conflict, *WRONG_UPLOAD),
        consumes=(IMAGE, BYTES),
        permission=OWNER,
    ),
    Operation(
        "POST",
        "/uploads/{upload_id}/complete",
        uploads.complete,
        "Check the file and make it an image; may be repeated",
        status=HTTPStatus.ACCEPTED,
        raises=(NotFound, UploadExpired, UploadEnded, UploadIncomplete, PartMismatch, TooLarge, *WRONG_FILE),
        consumes=(Content(JSON, CompleteUpload),),
        needs_body=False,
        json_limit=LONG_LIST,
        permission=OWNER,
    ),
    Operation(
        "GET",
        "/uploads/{upload_id}/parts",
        uploads.list_parts,
        "The parts that have arrived",
        raises=(NotFound,),
        needs_user=True,
        permission=OWNER,
    ),
    Operation(
        "POST",
        "/uploads/{upload_id}/parts/sign",
        uploads.sign_parts,
        "URLs for up to 100 parts: more of them, or new ones",
        raises=(NotFound, UploadExpired, UploadEnded, TooLarge, *WRONG_FILE),
        permission=OWNER,
    ),
)
