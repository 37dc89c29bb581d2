"""``{% picture item.photo layout="tiles" alt=item.name %}``."""

from typing import Any

from django import template

from imagegallery.hosts.django.urls import root
from imagegallery.hosts.django.value import Picture
from imagegallery.images.image.image import Image
from imagegallery.images.presentation.picture import Html, picture

register = template.Library()


@register.simple_tag(name="picture", takes_context=True)
def picture_tag(context: template.Context, shown: Picture | Image | None, **options: Any) -> Html:
    """Show a picture: see `imagegallery.picture`. Nothing, where there is none.

    ``class`` is an option, too; with ``absolute=True`` URLs have the scheme and host of the request, as a feed needs.
    """
    image = shown.image if isinstance(shown, Picture) else shown
    if image is None:
        return Html()
    if "class" in options:
        options["class_"] = options.pop("class")
    address = root() or ""
    if options.pop("absolute", False):
        if "request" not in context:
            raise ValueError("absolute=True takes scheme and host from the request, which this template has not.")
        address = context["request"].build_absolute_uri(address)
    return picture(image, **{"root": address, **options})
