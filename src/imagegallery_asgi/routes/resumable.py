"""Uploads that come little by little: tus and the IETF draft."""

from imagegallery import Conflict, NotFound, Permission, TooLarge, UploadExpired, UploadIncomplete
from imagegallery.access.permission import OWNER
from imagegallery.errors import ChunkMismatch, LengthMismatch, OffsetMismatch, UploadInterrupted, UploadLocked
from imagegallery_asgi.api.responses import ImageDetail, One
from imagegallery_asgi.framework.errors import CompletedUpload, DigestMismatch, UnsupportedVersion, UploadGone
from imagegallery_asgi.framework.operations import JSON, Content, DeclaredAnswer, Operation, Repeats
from imagegallery_asgi.resumable import handlers as resumable
from imagegallery_asgi.resumable import ietf_wire, tus_wire
from imagegallery_asgi.routes.common import IMAGE, LIMITED, WRONG_FILE, WRONG_UPLOAD

_UPLOAD = DeclaredAnswer("How far it is.", headers=("Upload-Offset", "Cache-Control"))
_OPTIONS = {204: DeclaredAnswer("What is offered.", headers=("Tus-Version", "Tus-Extension", "Upload-Limit"))}
_PIECES = (Content(tus_wire.MEDIA_TYPE), Content(ietf_wire.MEDIA_TYPE))

_OVER = (NotFound, UnsupportedVersion, UploadGone, UploadExpired, UploadLocked)
_WRONG_PIECE = (UploadInterrupted, UploadIncomplete, OffsetMismatch, LengthMismatch, ChunkMismatch, DigestMismatch)

OPERATIONS = (
    Operation(
        "POST",
        "/uploads/resumable",
        resumable.create,
        "Begin an upload that comes little by little (tus 1.0.0 or the IETF draft)",
        raises=(*_OVER, *LIMITED, *_WRONG_PIECE, *WRONG_UPLOAD),
        consumes=(*_PIECES, IMAGE),
        needs_body=False,
        repeats=Repeats.REFUSED,
        answers={
            201: DeclaredAnswer("Begun, at `Location`.", headers=("Location", "Upload-Offset")),
            202: DeclaredAnswer("The whole file came with it: the image.", (Content(JSON, One[ImageDetail]),)),
        },
        permission=Permission.NONE,
    ),
    Operation(
        "OPTIONS",
        "/uploads/resumable",
        resumable.options,
        "What resumable uploads are offered",
        answers=_OPTIONS,
        needs_principal=False,
        permission=Permission.NONE,
    ),
    Operation(
        "GET",
        "/uploads/resumable/{upload_id}",
        resumable.look,
        "How far an upload has come; completes one that was cut short after its last byte",
        raises=(*_OVER, UploadIncomplete, TooLarge, *WRONG_FILE),
        answers={204: _UPLOAD},
        answers_head=True,
        names_any_id=True,
        is_safe=False,
        permission=OWNER,
    ),
    Operation(
        "PATCH",
        "/uploads/resumable/{upload_id}",
        resumable.append,
        "More bytes of an upload; the last ones make it an image",
        raises=(*_OVER, CompletedUpload, *_WRONG_PIECE, *WRONG_UPLOAD),
        consumes=_PIECES,
        needs_body=False,
        answers={
            202: DeclaredAnswer("The image (IETF draft).", (Content(JSON, One[ImageDetail]),)),
            204: DeclaredAnswer("As far as `Upload-Offset`.", headers=("Upload-Offset",)),
        },
        names_any_id=True,
        permission=OWNER,
    ),
    Operation(
        "DELETE",
        "/uploads/resumable/{upload_id}",
        resumable.terminate,
        "Give up an upload; an image that it has become stays",
        raises=(NotFound, UnsupportedVersion, UploadLocked, Conflict),
        answers={204: DeclaredAnswer("Given up.")},
        names_any_id=True,
        permission=OWNER,
    ),
    Operation(
        "OPTIONS",
        "/uploads/resumable/{upload_id}",
        resumable.upload_options,
        "What resumable uploads are offered",
        answers=_OPTIONS,
        needs_principal=False,
        permission=Permission.NONE,
    ),
)
