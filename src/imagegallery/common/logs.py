"""What the programs of the service log, all alike: `imagegallery` and every process that it starts."""

import logging
import os

LEVEL_VARIABLE = "IMAGEGALLERY_LOG_LEVEL"
ACCESS_VARIABLE = "IMAGEGALLERY_ACCESS_LOG"
ACCESS_LOGGER = "imagegallery_asgi.access"
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def log_verbosely() -> None:
    """From now on log what is done, not only what goes wrong, here (once configured) and in processes started here."""
    os.environ[LEVEL_VARIABLE] = "info"


def log_requests() -> None:
    """The same of every request that is answered."""
    os.environ[ACCESS_VARIABLE] = "1"


def configure_logging() -> None:
    """To stderr, as the environment says; warnings unless it says more."""
    level = _LEVELS.get(os.environ.get(LEVEL_VARIABLE, "").lower(), logging.WARNING)
    logging.basicConfig(level=level, format=FORMAT)
    if os.environ.get(ACCESS_VARIABLE):
        logging.getLogger(ACCESS_LOGGER).setLevel(logging.INFO)
