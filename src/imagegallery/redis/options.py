"""Where Redis is, and how long to wait for it. Pure."""

from datetime import timedelta

import typed_settings
from attrs import field, frozen
from attrs.validators import ge, gt

ZERO = timedelta(0)


def _secret(url: str | None) -> typed_settings.SecretStr | None:
    """The URL, as a secret since it may contain a password."""
    return None if url is None else typed_settings.SecretStr(url)


@frozen
class RedisOptions:
    """``url`` is ``redis://``, ``rediss://`` or, for a cluster, ``redis+cluster://``. Without it, each process has its
    own
    cache and its own counts of requests. ``prefix`` begins every key, and ``database.schema``, if it is set, follows.

    Redis holds nothing that must not be lost. After ``failures_allowed`` in a row it is not called for ``rest``.
    """

    url: typed_settings.SecretStr | None = field(default=None, converter=_secret)
    prefix: str = "imagegallery"
    timeout: timedelta = field(default=timedelta(milliseconds=500), validator=gt(ZERO))
    connections: int = field(default=20, validator=ge(1))
    failures_allowed: int = field(default=5, validator=ge(1))
    rest: timedelta = field(default=timedelta(seconds=5), validator=gt(ZERO))
