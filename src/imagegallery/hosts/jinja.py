"""Pictures in Jinja's templates. Needs the extra ``jinja``, which Flask brings.

install(app.jinja_env)

{{ image | picture(layout="masonry", alt="The harbour") }}
"""

from functools import partial

from jinja2 import Environment

from imagegallery.images.presentation.picture import picture


def install(environment: Environment, *, root: str = "") -> None:
    """Add the filter ``picture``, and a function of the same name: `imagegallery.picture`, which tells its options.

    ``root`` is the address of the API, put before URLs that are relative to it (``/gallery/api/v1``). Without it,
    they stay as they are; with ``delivery.base_url``, all are absolute.
    """
    show = partial(picture, root=root)
    environment.filters["picture"] = show
    environment.globals["picture"] = show
