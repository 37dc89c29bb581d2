"""The files of pictures, for a project that serves them itself.

urlpatterns = [path("pictures/", include("imagegallery.hosts.django.urls"))]
"""

from typing import Final

from django.conf import settings as project
from django.urls import NoReverseMatch, path, reverse

from imagegallery.hosts.django.views import public, signed

app_name: Final = "imagegallery"
urlpatterns: Final = [
    path("files/<path:key>", public, name="public"),
    path("objects/<path:token>", signed, name="signed"),
]


def root() -> str | None:
    """The path that these URLs are below, without its last slash; ``None`` if the project has not included them."""
    if not hasattr(project, "ROOT_URLCONF"):
        return None
    try:
        return reverse(f"{app_name}:public", args=["-"]).removesuffix("/files/-")
    except NoReverseMatch:
        return None
