"""Logging of `imagegallery` and every process that it starts, all in one format."""

import logging
import os

LEVEL_VARIABLE = "IMAGEGALLERY_LOG_LEVEL"
ACCESS_VARIABLE = "IMAGEGALLERY_ACCESS_LOG"
ACCESS_LOGGER = "imagegallery_asgi.access"
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def log_verbosely() -> None:
    """Log what is done, not only failures, here (once configured) and in processes started here."""
    os.environ[LEVEL_VARIABLE] = "info"


def log_requests() -> None:
    """Log every request, too."""
    os.environ[ACCESS_VARIABLE] = "1"


def configure_logging() -> None:
    """Log to stderr at the level in the environment, by default warnings."""
    level = _LEVELS.get(os.environ.get(LEVEL_VARIABLE, "").lower(), logging.WARNING)
    logging.basicConfig(level=level, format=FORMAT)
    if os.environ.get(ACCESS_VARIABLE):
        logging.getLogger(ACCESS_LOGGER).setLevel(logging.INFO)
