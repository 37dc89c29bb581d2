"""Galleries, and the images in them."""

from http import HTTPStatus

from imagegallery import Conflict, InvalidInput, NotFound, Permission
from imagegallery.errors import UploadLocked
from imagegallery_asgi.api import galleries, uploads
from imagegallery_asgi.api.pages import page_answers
from imagegallery_asgi.api.requests import AddImages, UploadForm
from imagegallery_asgi.api.responses import (
    CursorList,
    CursorPagination,
    GalleryDocument,
    GalleryImage,
    ImageChoice,
    ImageDetail,
    Images,
    One,
    PagePagination,
)
from imagegallery_asgi.framework.operations import JSON, Content, DeclaredAnswer, Operation, Repeats
from imagegallery_asgi.routes.common import BYTES, IMAGE, LIMITED, WRONG_UPLOAD

OPERATIONS = (
    Operation(
        "GET",
        "/galleries",
        galleries.list_galleries,
        "Galleries, newest first",
        answers=page_answers(CursorList[GalleryDocument]),
        holds_conditions=True,
        permission=Permission.NONE,
    ),
    Operation(
        "POST",
        "/galleries",
        galleries.create,
        "Make a gallery",
        status=HTTPStatus.CREATED,
        raises=(Conflict,),
        repeats=Repeats.KEYED,
        permission=Permission.NONE,
    ),
    Operation(
        "GET",
        "/galleries/{gallery_id}",
        galleries.get,
        "One gallery",
        raises=(NotFound,),
        answers=page_answers(One[GalleryDocument]),
        holds_conditions=True,
        permission=Permission.VIEW,
    ),
    Operation(
        "PATCH",
        "/galleries/{gallery_id}",
        galleries.update,
        "Change a gallery",
        raises=(NotFound,),
        holds_conditions=True,
        permission=Permission.EDIT,
    ),
    Operation(
        "DELETE",
        "/galleries/{gallery_id}",
        galleries.delete,
        "Delete a gallery",
        raises=(NotFound, Conflict),
        holds_conditions=True,
        permission=Permission.DELETE,
    ),
    Operation(
        "GET",
        "/galleries/{gallery_id}/images",
        galleries.list_images,
        "Its images",
        raises=(NotFound,),
        answers=page_answers(
            Images[GalleryImage, CursorPagination]
            | Images[GalleryImage, PagePagination]
            | Images[ImageChoice, CursorPagination]
            | Images[ImageChoice, PagePagination]
        ),
        holds_conditions=True,
        permission=Permission.VIEW,
    ),
    Operation(
        "POST",
        "/galleries/{gallery_id}/images",
        uploads.add,
        "Add images of the library (JSON), or upload one in a single call",
        raises=(NotFound, InvalidInput, UploadLocked, *LIMITED, *WRONG_UPLOAD),
        repeats=Repeats.KEYED,
        consumes=(Content(JSON, AddImages), Content("multipart/form-data", UploadForm), IMAGE, BYTES),
        answers={
            200: DeclaredAnswer("The images are in the gallery.", (Content(JSON, One[GalleryDocument]),)),
            202: DeclaredAnswer(
                "Uploaded; processing starts.", (Content(JSON, One[ImageDetail]),), headers=("Location",)
            ),
        },
        holds_conditions=True,
        permission=Permission.ADD_IMAGES,
    ),
    Operation(
        "POST",
        "/galleries/{gallery_id}/images/move",
        galleries.move,
        "Change the order: put images before or after another one",
        raises=(NotFound,),
        holds_conditions=True,
        permission=Permission.EDIT,
    ),
    Operation(
        "POST",
        "/galleries/{gallery_id}/images/remove",
        galleries.remove_images,
        "Take images out; they stay in the library",
        raises=(NotFound,),
        holds_conditions=True,
        permission=Permission.EDIT,
    ),
    Operation(
        "DELETE",
        "/galleries/{gallery_id}/images/{image_id}",
        galleries.remove_image,
        "Take an image out; it stays in the library",
        raises=(NotFound,),
        holds_conditions=True,
        permission=Permission.EDIT,
    ),
)
