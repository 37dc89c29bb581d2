"""Requests to S3 that clients send themselves: signed here, without I/O (Signature Version 4).

A form (POST) carries a policy that S3 holds the upload against: this key, this type, this many bytes, this SHA-256. A
URL carries a date and for how long it is good. Equal downloads get equal URLs, so that browsers' caches work: the date
is counted back from the end by one of a few lifetimes, instead of being the moment of signing.
"""

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from attrs import frozen
from botocore.auth import S3SigV4PostAuth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest

from imagegallery.aws.keys import Keys
from imagegallery.aws.skew import ServiceTime
from imagegallery.clock import Clock
from imagegallery.common.disposition import attachment
from imagegallery.errors import ConfigurationError
from imagegallery.storage.protocol import ReadMethod, UploadRequest

# The last is the longest that S3 allows ("Authenticating requests: using query parameters", X-Amz-Expires).
LIFETIMES = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))
_DATE = "%Y%m%dT%H%M%SZ"


@frozen
class Signing:
    """``url`` is the bucket's own, without a trailing slash. ``form_fields`` go with every upload.
    ``time`` is the bucket's own, where ours is known to be wrong."""

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
        """A POST of as many bytes as ``sizes`` has them, the least and the most; ``sha256`` in hexadecimal."""
        fields = {
            "key": key,
            "Content-Type": content_type,
            "success_action_status": "201",
            **({"x-amz-checksum-sha256": _base64(sha256)} if sha256 is not None else {}),
            **self.form_fields,
        }
        conditions: list[object] = [{"bucket": self.bucket}, *({name: value} for name, value in fields.items())]
        conditions.append(["content-length-range", *sizes])
        policy = {"expiration": f"{_in_utc(expires_at + self.offset):%Y-%m-%dT%H:%M:%SZ}", "conditions": conditions}
        request = AWSRequest()
        request.context.update({"s3-presign-post-fields": fields, "s3-presign-post-policy": policy})
        S3SigV4PostAuth(self.keys(), "s3", self.region).add_auth(request)
        return UploadRequest("POST", self.url, fields=fields)

    def part(self, key: str, upload: str, number: int, *, size: int | None, expires_at: datetime) -> UploadRequest:
        """A PUT of exactly ``size`` bytes, if it says so: their number is signed, as a header that every client sends
        anyway."""
        parameters = {"partNumber": str(number), "uploadId": upload}
        headers = {} if size is None else {"Content-Length": str(size)}
        return UploadRequest("PUT", self._signed("PUT", key, parameters, expires_at, headers))

    def download(
        self,
        key: str,
        *,
        content_type: str,
        expires_at: datetime,
        download_as: str | None,
        method: ReadMethod = "GET",
    ) -> str:
        """A URL to GET or HEAD; as a file of the name ``download_as``, if there is one (RFC 6266)."""
        parameters = {"response-content-type": content_type}
        if download_as is not None:
            parameters["response-content-disposition"] = attachment(download_as)
        return self._signed(method, key, parameters, expires_at, {})

    def _signed(
        self, method: str, key: str, parameters: Mapping[str, str], expires_at: datetime, headers: Mapping[str, str]
    ) -> str:
        lifetime = lifetime_for(expires_at - self.clock())
        request = AWSRequest(
            method=method, url=f"{self.url}/{quote(key, safe='/~')}", params=dict(parameters), headers=dict(headers)
        )
        _DatedSigner(self.keys(), self.region, lifetime, expires_at + self.offset - lifetime).add_auth(request)
        return str(request.url)


class _DatedSigner(S3SigV4QueryAuth):  # type: ignore[misc]  # botocore has no types
    """botocore's signer, signing as of a given moment."""

    def __init__(self, keys: Keys, region: str, lifetime: timedelta, signed_at: datetime) -> None:
        super().__init__(keys, "s3", region, expires=lifetime // timedelta(seconds=1))
        self._signed_at = _in_utc(signed_at)

    def add_auth(self, request: AWSRequest) -> None:
        request.context["timestamp"] = f"{self._signed_at:{_DATE}}"
        self._modify_request_before_signing(request)
        to_sign = self.string_to_sign(request, self.canonical_request(request))
        self._inject_signature_to_request(request, self.signature(to_sign, request))


def lifetime_for(remaining: timedelta) -> timedelta:
    """The shortest of `LIFETIMES` that is not under ``remaining``. Raises `ConfigurationError` beyond the longest."""
    for lifetime in LIFETIMES:
        if remaining <= lifetime:
            return lifetime
    raise ConfigurationError(f"S3 signs URLs for {LIFETIMES[-1].days} days at most.")


def _base64(hexadecimal: str) -> str:
    return base64.b64encode(bytes.fromhex(hexadecimal)).decode()


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
