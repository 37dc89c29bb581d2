"""A Django app: rows that have a picture or a gallery. Needs the extra ``django``.

INSTALLED_APPS = [..., "imagegallery.hosts.django"]

class Item(models.Model):
    photo = PictureField()

{% load imagegallery %} {% picture item.photo layout="tiles" alt=item.name %}
"""

from imagegallery.hosts.django.conf import gallery
from imagegallery.hosts.django.fields import GalleryField, PictureField
from imagegallery.hosts.django.value import Picture, RowGallery, aload_pictures, load_pictures

__all__ = ["GalleryField", "Picture", "PictureField", "RowGallery", "aload_pictures", "gallery", "load_pictures"]
