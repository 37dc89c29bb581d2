"""Absolute addresses of this service, for documents that are read elsewhere: feeds, and what other pages show."""

from attrs import frozen

from imagegallery_asgi.framework.context import API_PREFIX, Call, public_origin


@frozen
class Site:
    """``root`` is where the pages are, ``api`` where the API is. ``is_known``: by the settings; otherwise only by what
    this client says of us, which holds for nobody else."""

    root: str
    api: str
    is_known: bool

    @classmethod
    def of(cls, call: Call) -> "Site":
        base = call.gallery.settings.delivery.base_url
        if base is not None and base.endswith(API_PREFIX):
            return cls(base.removesuffix(API_PREFIX), base, is_known=True)
        api = f"{public_origin(call.request)}{call.api_root}"
        return cls(api.removesuffix(API_PREFIX), base or api, is_known=False)
