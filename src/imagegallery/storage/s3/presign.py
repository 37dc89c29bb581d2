"""Requests that clients send to S3 themselves: signed here, without I/O (Signature Version 4).

A form (POST) carries a policy that S3 checks the upload against: this key, type, number of bytes and SHA-256. A URL
carries a date and a lifetime. Equal downloads get equal URLs, so that browsers' caches work: the date is the expiry
minus one of a few lifetimes, not the moment of signing.
"""

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from attrs import frozen
from botocore.auth import S3SigV4PostAuth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest

from imagegallery.aws.keys import Keys
from imagegallery.aws.skew import ServiceTime, sign_at
from imagegallery.clock import Clock
from imagegallery.common.disposition import attachment
from imagegallery.errors import ConfigurationError
from imagegallery.storage.protocol import ReadMethod, UploadRequest

# The last is S3's maximum ("Authenticating requests: using query parameters", X-Amz-Expires).
LIFETIMES = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))


@frozen
class Presigner:
    """Signs requests for one bucket.

    Attributes:
        url: The bucket's own, without a trailing slash.
        form_fields: Fields of every upload form.
        time: The bucket's clock, as far as ours is known to be wrong.
    """

    url: str
    bucket: str
    region: str
    keys: Callable[[], Keys]
    clock: Clock
    form_fields: Mapping[str, str]
    time: ServiceTime | None = None

    @property
    def offset(self) -> timedelta:
        """How far the bucket's clock is ahead of ours."""
        return self.time.offset if self.time is not None else timedelta(0)

    def form(
        self, key: str, *, content_type: str, sizes: tuple[int, int], sha256: str | None, expires_at: datetime
    ) -> UploadRequest:
        """Sign a POST. ``sizes`` are the least and the most bytes allowed; ``sha256`` is in hexadecimal."""
        fields = {
            "key": key,
            "Content-Type": content_type,
            "success_action_status": "201",
            **({"x-amz-checksum-sha256": _base64(sha256)} if sha256 is not None else {}),
            **self.form_fields,
        }
        conditions: list[object] = [{"bucket": self.bucket}, *({name: value} for name, value in fields.items())]
        conditions.append(["content-length-range", *sizes])
        ends_at = (expires_at + self.offset).astimezone(UTC)
        policy = {"expiration": f"{ends_at:%Y-%m-%dT%H:%M:%SZ}", "conditions": conditions}
        request = AWSRequest()
        request.context.update({"s3-presign-post-fields": fields, "s3-presign-post-policy": policy})
        S3SigV4PostAuth(self.keys().credentials, "s3", self.region).add_auth(request)
        return UploadRequest("POST", self.url, fields=fields)

    def part(self, key: str, upload: str, number: int, *, size: int | None, expires_at: datetime) -> UploadRequest:
        """Sign a PUT. With ``size``, exactly that many bytes: it is signed as a header that every client sends
        anyway."""
        parameters = {"partNumber": str(number), "uploadId": upload}
        headers = {} if size is None else {"Content-Length": str(size)}
        return UploadRequest("PUT", self._sign("PUT", key, parameters, expires_at, headers))

    def download(
        self,
        key: str,
        *,
        content_type: str,
        expires_at: datetime,
        download_as: str | None,
        method: ReadMethod = "GET",
    ) -> str:
        """Sign a URL for GET or HEAD. With ``download_as`` the response is an attachment (RFC 6266)."""
        parameters = {"response-content-type": content_type}
        if download_as is not None:
            parameters["response-content-disposition"] = attachment(download_as)
        return self._sign(method, key, parameters, expires_at, {})

    def _sign(
        self, method: str, key: str, parameters: Mapping[str, str], expires_at: datetime, headers: Mapping[str, str]
    ) -> str:
        lifetime = lifetime_for(expires_at - self.clock())
        request = AWSRequest(
            method=method, url=f"{self.url}/{quote(key, safe='/~')}", params=dict(parameters), headers=dict(headers)
        )
        _DatedSigner(self.keys(), self.region, lifetime, expires_at + self.offset - lifetime).add_auth(request)
        return str(request.url)


class _DatedSigner(S3SigV4QueryAuth):
    """botocore's signer, for a given moment."""

    def __init__(self, keys: Keys, region: str, lifetime: timedelta, signed_at: datetime) -> None:
        super().__init__(keys.credentials, "s3", region, expires=lifetime // timedelta(seconds=1))
        self._signed_at = signed_at.astimezone(UTC)

    def add_auth(self, request: AWSRequest) -> None:
        sign_at(self, request, self._signed_at)


def lifetime_for(remaining: timedelta) -> timedelta:
    """Return the shortest of `LIFETIMES` that covers ``remaining``. Raises `ConfigurationError` if none does."""
    for lifetime in LIFETIMES:
        if remaining <= lifetime:
            return lifetime
    raise ConfigurationError(f"S3 signs URLs for {LIFETIMES[-1].days} days at most.")


def _base64(hexadecimal: str) -> str:
    return base64.b64encode(bytes.fromhex(hexadecimal)).decode()
