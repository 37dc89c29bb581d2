"""A client of the HTTP API: uploads files by whatever transport the server offers, and resumes interrupted uploads.

Needs the extra ``client`` (httpx)::

    async with GalleryClient.open("https://photos.example.org/api/v1", token=token) as client: image_id = await
        client.upload(Path("tram.jpg"), gallery_id=gallery_id)
"""

from imagegallery.common.extras import install_hint

try:
    import httpx  # noqa: F401 - only to say what is missing
except ImportError as error:
    raise ImportError(f"The client needs more than is installed: {install_hint('client')}") from error

from imagegallery.client.client import GalleryClient
from imagegallery.client.problems import ApiProblem
from imagegallery.client.retries import RetryPolicy
from imagegallery.client.statefile import StateFile

__all__ = ["ApiProblem", "GalleryClient", "RetryPolicy", "StateFile"]
