"""The library."""

from http import HTTPStatus

from imagegallery import Conflict, NotFound, Permission
from imagegallery_asgi.api import duplicates, images
from imagegallery_asgi.api.pages import page_answers
from imagegallery_asgi.api.responses import ImageChoice, ImageDetail, One
from imagegallery_asgi.framework.operations import DeclaredAnswer, Operation

_REDIRECT = {302: DeclaredAnswer("The image is at `Location`.", headers=("Location",))}

OPERATIONS = (
    Operation(
        "GET",
        "/images",
        images.list_images,
        "The library by time, or the trash",
        needs_user=True,
        permission=Permission.NONE,
    ),
    Operation(
        "GET",
        "/images/duplicates",
        duplicates.list_duplicates,
        "Images that look like earlier ones",
        needs_user=True,
        permission=Permission.NONE,
    ),
    Operation(
        "POST",
        "/images/duplicates/dismiss",
        duplicates.dismiss,
        "Keep two images that look alike: never list them as a pair again",
        raises=(NotFound,),
        permission=Permission.NONE,
    ),
    Operation(
        "GET",
        "/images/timeline",
        images.timeline,
        "How many images each month has",
        needs_user=True,
        permission=Permission.NONE,
    ),
    Operation(
        "GET",
        "/images/timeline/{month}",
        images.month,
        "All images of a month, in columns",
        needs_user=True,
        permission=Permission.NONE,
    ),
    Operation(
        "POST",
        "/images/batch",
        images.batch,
        "Do one thing to up to 1,000 images; one result each",
        raises=(NotFound,),
        permission=Permission.NONE,
    ),
    Operation(
        "GET",
        "/images/{image_id}",
        images.get,
        "One image",
        raises=(NotFound,),
        answers=page_answers(One[ImageDetail] | One[ImageChoice]),
        holds_conditions=True,
        permission=Permission.VIEW,
    ),
    Operation(
        "PATCH",
        "/images/{image_id}",
        images.update,
        "Change an image",
        raises=(NotFound,),
        holds_conditions=True,
        permission=Permission.EDIT,
    ),
    Operation(
        "DELETE",
        "/images/{image_id}",
        images.delete,
        "Move an image to the trash; from there, delete it for good",
        raises=(NotFound, Conflict),
        holds_conditions=True,
        permission=Permission.DELETE,
    ),
    Operation(
        "POST",
        "/images/{image_id}/restore",
        images.restore,
        "Bring an image back from the trash; may be repeated",
        raises=(NotFound,),
        holds_conditions=True,
        permission=Permission.DELETE,
    ),
    Operation(
        "POST",
        "/images/{image_id}/retry",
        images.retry,
        "Process a failed image again",
        status=HTTPStatus.ACCEPTED,
        raises=(NotFound, Conflict),
        holds_conditions=True,
        permission=Permission.EDIT,
    ),
    Operation(
        "GET",
        "/images/{image_id}/view",
        images.view,
        "To the best variant for `Accept`",
        raises=(NotFound,),
        answers=_REDIRECT,
        permission=Permission.VIEW,
    ),
    Operation(
        "GET",
        "/images/{image_id}/download",
        images.download,
        "To the original, for its owner",
        raises=(NotFound,),
        answers=_REDIRECT,
        permission=Permission.DOWNLOAD,
    ),
)
