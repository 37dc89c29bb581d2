from django.contrib.auth.models import User
from django.db import models

from imagegallery.hosts.django import GalleryField, PictureField


class Item(models.Model):
    """Something for sale, with its seller's photo of it and the shop's drawing."""

    name = models.CharField(max_length=100)  # type: ignore[var-annotated] # that takes the plugin of the stubs
    seller = models.ForeignKey(User, models.CASCADE, null=True)  # type: ignore[var-annotated]
    photo = PictureField(owner="seller", blank=True)
    drawing = PictureField(blank=True)
    poster = PictureField(blank=True, policy="poster", visibility="public")
    photos = GalleryField()


class Bargain(Item):
    """Is followed as what it is derived from."""

    class Meta:
        proxy = True
