"""Options of the delivery package: how clients get objects. Pure."""

from datetime import datetime, timedelta
from pathlib import Path

import typed_settings
from attrs import Factory, field, frozen

from imagegallery.errors import ConfigurationError
from imagegallery.storage.options import MIN_SECRET_BYTES

DEFAULT_TTL = timedelta(hours=1)


def without_slash(url: str | None) -> str | None:
    return url.rstrip("/") if url else None


@frozen
class SigningKey:
    """``id`` is CloudFront's id of the public key (``K…``). The private RSA key is PEM text (``pem``) or a file."""

    id: str | None = None
    pem: typed_settings.SecretStr | None = None
    file: Path | None = None

    @property
    def is_set(self) -> bool:
        return self.id is not None


@frozen
class CloudFrontOptions:
    """``url`` is the base under which a distribution serves the bucket to signed URLs. Without it, private URLs are the
    store's own. ``galleries_url`` is the base of the API (``https://cdn.example/api/v1``) where a distribution serves
    the files of galleries (``/galleries/*/files/*``) to signed cookies, which are set for ``cookie_domain``: one that
    the API and the distribution are both below.

    To change keys: add the new public key to the distribution's key group, set it as ``next_key``, and
    ``next_key_from`` to a moment (ISO 8601, with its offset) by which all processes will know it. From then on it
    signs. Remove the old one from the key group one ``private_url_ttl`` later.
    """

    url: str | None = field(default=None, converter=without_slash)
    galleries_url: str | None = field(default=None, converter=without_slash)
    cookie_domain: str | None = None
    key: SigningKey = Factory(SigningKey)
    next_key: SigningKey = Factory(SigningKey)
    next_key_from: datetime | None = None

    def __attrs_post_init__(self) -> None:
        for name, key in (("key", self.key), ("next_key", self.next_key)):
            if (key.id is None) is not (key.pem is None and key.file is None) or (key.pem and key.file):
                raise ConfigurationError(f"delivery.cloudfront.{name} needs an id, and either pem or file.")
        if self.url is not None and not self.key.is_set:
            raise ConfigurationError("delivery.cloudfront.url needs delivery.cloudfront.key to sign with.")
        if self.galleries_url is not None and (not self.key.is_set or self.cookie_domain is None):
            raise ConfigurationError(
                "delivery.cloudfront.galleries_url needs delivery.cloudfront.key to sign with, and cookie_domain."
            )
        if self.next_key.is_set is not (self.next_key_from is not None):
            raise ConfigurationError("delivery.cloudfront.next_key and next_key_from belong together.")
        if self.next_key_from is not None and self.next_key_from.tzinfo is None:
            raise ConfigurationError("delivery.cloudfront.next_key_from needs an offset, such as Z.")


@frozen
class DeliveryOptions:
    """``base_url`` is where clients reach the API, with its prefix (``https://photos.example/api/v1``): URLs of the API
    begin
    with it. ``None``: they begin with ``/``, and the HTTP API completes them from the request.

    ``cdn_url`` is the base under which a CDN serves our public ``/files/`` (``None``: we serve them).

    A private URL is valid for at most ``private_url_ttl``, and for at least half of it.

    Where objects are files, a proxy in front can send them, once the API has decided that it may: nginx by
    ``accel_redirect``, the path of its internal location of the folder ``objects`` (``/kept/``); Apache and others by
    ``x_sendfile``, which names the file.

    ``edge_secret`` is what a cache in front, which checks by itself who may have the files of a gallery, sends in the
    header ``X-Edge-Secret``, and in ``X-Edge-Checked`` what it checks: ``rules`` or ``cookies``. It may keep them for
    others then.
    """

    base_url: str | None = field(default=None, converter=without_slash)
    cdn_url: str | None = field(default=None, converter=without_slash)
    private_url_ttl: timedelta = DEFAULT_TTL
    accel_redirect: str | None = None
    x_sendfile: bool = False
    edge_secret: typed_settings.SecretStr | None = None
    cloudfront: CloudFrontOptions = Factory(CloudFrontOptions)

    def __attrs_post_init__(self) -> None:
        location = self.accel_redirect
        if location is not None and not (location.startswith("/") and location.endswith("/")):
            raise ConfigurationError("delivery.accel_redirect is a path that begins and ends with /, such as /kept/.")
        if self.edge_secret is not None and len(self.edge_secret.encode()) < MIN_SECRET_BYTES:
            raise ConfigurationError(f"delivery.edge_secret must have at least {MIN_SECRET_BYTES} bytes.")
        if location is not None and self.x_sendfile:
            raise ConfigurationError("delivery.accel_redirect and delivery.x_sendfile exclude each other.")
