"""The HTTP face of imagegallery: a thin Starlette application.

Needs the extra ``asgi``.
"""

from imagegallery.common.extras import install_hint

try:  # not used here: only to see that they are there
    import msgspec as _msgspec  # noqa: F401
    import prometheus_client as _prometheus_client  # noqa: F401
    import python_multipart as _python_multipart  # noqa: F401
    import starlette as _starlette  # noqa: F401
    from jwt import PyJWK as _PyJWK  # noqa: F401
except ImportError as error:
    raise ImportError(f"imagegallery_asgi needs more than is installed ({error}): {install_hint('asgi')}") from error

from imagegallery.http_options import ClientLimits
from imagegallery_asgi.app import create_app
from imagegallery_asgi.auth import jwt, single_user
from imagegallery_asgi.error_handlers import add_error_handlers, problem_of, status_of
from imagegallery_asgi.framework.context import Authenticate, Call
from imagegallery_asgi.framework.operations import Operation, declaring
from imagegallery_asgi.routes import EVERYTHING, READ_ONLY

__all__ = [
    "EVERYTHING",
    "READ_ONLY",
    "Authenticate",
    "Call",
    "ClientLimits",
    "Operation",
    "add_error_handlers",
    "create_app",
    "declaring",
    "jwt",
    "problem_of",
    "single_user",
    "status_of",
]
