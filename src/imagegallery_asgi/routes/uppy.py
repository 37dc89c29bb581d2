"""What Uppy's S3 plugin asks for."""

from imagegallery import (
    InvalidInput,
    NotFound,
    Permission,
    TooLarge,
    UnsupportedType,
    UploadEnded,
    UploadExpired,
    UploadIncomplete,
)
from imagegallery.access.permission import OWNER
from imagegallery.errors import EmptyFile, PartMismatch
from imagegallery_asgi.framework.operations import Operation, Repeats
from imagegallery_asgi.routes.common import LIMITED, LONG_LIST, WRONG_FILE
from imagegallery_asgi.uppy import handlers as uppy

OPERATIONS = (
    Operation(
        "GET",
        "/uploads/uppy/s3/params",
        uppy.params,
        "Begin an upload in one request, for Uppy",
        repeats=Repeats.REFUSED,
        raises=(InvalidInput, NotFound, UnsupportedType, EmptyFile, TooLarge, *LIMITED),
        is_safe=False,
        tells_message=True,
        permission=Permission.NONE,
    ),
    Operation(
        "POST",
        "/uploads/uppy/s3/multipart",
        uppy.create_multipart,
        "Begin an upload in parts, for Uppy",
        repeats=Repeats.REFUSED,
        raises=(NotFound, UnsupportedType, EmptyFile, *LIMITED),
        tells_message=True,
        permission=Permission.NONE,
    ),
    Operation(
        "GET",
        "/uploads/uppy/s3/multipart/{upload_id}",
        uppy.list_parts,
        "The parts that have arrived, for Uppy",
        raises=(NotFound,),
        needs_user=True,
        tells_message=True,
        permission=OWNER,
    ),
    Operation(
        "DELETE",
        "/uploads/uppy/s3/multipart/{upload_id}",
        uppy.abort_multipart,
        "Give up an upload in parts, for Uppy",
        raises=(NotFound, UploadEnded),
        tells_message=True,
        permission=OWNER,
    ),
    Operation(
        "GET",
        "/uploads/uppy/s3/multipart/{upload_id}/batch",
        uppy.sign_parts,
        "URLs for some parts, for Uppy",
        raises=(NotFound, UploadExpired, UploadEnded, TooLarge, *WRONG_FILE),
        is_safe=False,
        tells_message=True,
        permission=OWNER,
    ),
    Operation(
        "POST",
        "/uploads/uppy/s3/multipart/{upload_id}/complete",
        uppy.complete_multipart,
        "Join the parts and make them an image, for Uppy",
        raises=(NotFound, UploadExpired, UploadEnded, UploadIncomplete, PartMismatch, TooLarge, *WRONG_FILE),
        json_limit=LONG_LIST,
        tells_message=True,
        permission=OWNER,
    ),
    Operation(
        "GET",
        "/uploads/uppy/s3/multipart/{upload_id}/{number}",
        uppy.sign_part,
        "The URL of one part, for Uppy",
        raises=(NotFound, UploadExpired, UploadEnded, TooLarge, *WRONG_FILE),
        is_safe=False,
        tells_message=True,
        permission=OWNER,
    ),
)
