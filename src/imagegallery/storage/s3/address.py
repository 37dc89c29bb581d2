"""The URL of a bucket, for us and for clients. Pure."""

import ipaddress
import re
from urllib.parse import urlsplit

from attrs import frozen

from imagegallery.errors import ConfigurationError, InvalidInput
from imagegallery.storage.keys import check_key
from imagegallery.storage.options import S3Options

# "Bucket naming rules", as far as a URL needs them.
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@frozen
class BucketAddress:
    """A bucket's address. With ``path_style`` its name is the first segment of the path instead of a part of the
    host."""

    bucket: str
    path_style: bool

    @classmethod
    def of(cls, options: S3Options) -> "BucketAddress":
        """Read the options. Raises `ConfigurationError` for an impossible name or prefix."""
        bucket = options.bucket or ""
        if not _NAME.fullmatch(bucket):
            raise ConfigurationError(f"storage.s3.bucket is no bucket's name: {bucket!r}.")
        _check_prefix(options.prefix)
        endpoints = (options.endpoint_url, options.public_endpoint_url)
        # A certificate for *.host does not cover dots in a bucket's name, and an IP address has no subdomains.
        has_no_names = "." in bucket or any(_is_address(url) for url in endpoints if url)
        return cls(bucket, options.path_style or has_no_names)

    def url(self, endpoint: str) -> str:
        """The bucket's URL at this endpoint, without a trailing slash."""
        base = endpoint.rstrip("/")
        if self.path_style:
            return f"{base}/{self.bucket}"
        scheme, _, rest = base.partition("://")
        return f"{scheme}://{self.bucket}.{rest}"


def _check_prefix(prefix: str) -> None:
    try:
        check_key(f"{prefix}x")
    except InvalidInput as error:
        raise ConfigurationError(f"storage.s3.prefix cannot begin a key: {prefix!r}.") from error


def _is_address(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return True
