"""System checks: what is wrong is said by ``manage.py check``, before anything is served."""

from collections.abc import Sequence

from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution

from imagegallery.errors import ConfigurationError
from imagegallery.hosts.django.conf import SETTING, load_settings
from imagegallery.hosts.django.urls import root


def check_settings(**_: object) -> Sequence[CheckMessage]:
    """Errors for settings that cannot work, a warning for pictures without an address."""
    try:
        settings = load_settings()
    except ConfigurationError as error:
        return [Error(error.message, hint=f"See {SETTING} in your settings.", id="imagegallery.E001")]
    if settings.delivery.base_url is None and root() is None:
        hint = (
            'Add path("pictures/", include("imagegallery.hosts.django.urls")) to your URLs, or set the address of a'
            f' service: {SETTING} = {{"delivery": {{"base_url": "https://…/api/v1"}}}}.'
        )
        return [Caution("URLs of pictures lead nowhere.", hint=hint, id="imagegallery.W001")]
    return []
