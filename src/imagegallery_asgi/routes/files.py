"""Objects themselves: public ones, and what a signed URL allows."""

from imagegallery import InvalidInput, NotFound, Permission, PreconditionFailed, TooLarge, UploadEnded, UploadExpired
from imagegallery.errors import DiskFull, ObjectNotFound, SignatureExpired, SignatureInvalid
from imagegallery_asgi.api import files
from imagegallery_asgi.api.requests import ObjectForm
from imagegallery_asgi.framework.errors import MalformedRequest, RangeNotSatisfiable, UnsupportedBody
from imagegallery_asgi.framework.operations import Content, DeclaredAnswer, Operation
from imagegallery_asgi.routes.common import BYTES, IMAGE, WRONG_FILE

_OBJECT = {
    200: DeclaredAnswer("The whole object.", (IMAGE, BYTES), headers=("ETag", "Last-Modified", "Accept-Ranges")),
    206: DeclaredAnswer("The range asked for.", (IMAGE, BYTES), headers=("ETag", "Content-Range")),
    304: DeclaredAnswer("Not changed since.", headers=("ETag",)),
}
_STORED = {204: DeclaredAnswer("Stored. Complete the session now, unless it completes itself.", headers=("ETag",))}
_POSTED = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    "<PostResponse><Location>/api/v1/uploads/01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52</Location>"
    "<Key>incoming/01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52</Key>"
    '<ETag>"5d41402abc4b2a76b9719d911017c592"</ETag></PostResponse>'
)
_STORED_FORM = {
    **_STORED,
    201: DeclaredAnswer(
        "The same, where the form asks for it with `success_action_status`.",
        (Content("application/xml", example=_POSTED),),
        headers=("ETag", "Location"),
    ),
}

OPERATIONS = (
    Operation(
        "GET",
        "/files/{key:path}",
        files.get_public,
        "A public variant",
        raises=(NotFound, ObjectNotFound, RangeNotSatisfiable),
        answers=_OBJECT,
        answers_head=True,
        needs_principal=False,
        holds_conditions=True,
        permission=Permission.NONE,
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
        holds_conditions=True,
        permission=Permission.NONE,
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
            DiskFull,
            PreconditionFailed,
            TooLarge,
            *WRONG_FILE,
            ObjectNotFound,
            UnsupportedBody,
        ),
        consumes=(IMAGE, BYTES),
        answers=_STORED,
        needs_principal=False,
        permission=Permission.NONE,
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
            DiskFull,
            PreconditionFailed,
            TooLarge,
            *WRONG_FILE,
            ObjectNotFound,
            UnsupportedBody,
        ),
        consumes=(Content("multipart/form-data", ObjectForm),),
        answers=_STORED_FORM,
        needs_principal=False,
        permission=Permission.NONE,
    ),
)
