"""Requests from a machine whose clock is wrong, signed by the time that the service reports.

S3 refuses requests that are more than 15 minutes off (RequestTimeTooSkewed). Every response has a ``Date`` (RFC 9110
section 6.6.1). After a refusal, requests are signed by the service's time, and the refused one is repeated.
"""

import logging
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from attrs import define, field
from botocore.auth import AUTH_TYPE_MAPS, S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse

from imagegallery.clock import Clock

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

TOLERATED = timedelta(minutes=1)
"""A smaller difference is due to the network, and no reason for a refusal."""

_SIGNER = "imagegallery-s3v4"
_NOW = "imagegallery_now"
_FORBIDDEN = 403
_log = logging.getLogger(__name__)


@define
class ServiceTime:
    """``offset`` is how far the service's clock is ahead of ours, as far as we know."""

    clock: Clock
    offset: timedelta = field(default=timedelta(0))

    def now(self) -> datetime:
        return self.clock() + self.offset

    def learn(self, date: str | None) -> bool:
        """Whether the ``Date`` of a refusal shows that our clock was the reason. Then ``offset`` is corrected."""
        try:
            offset = parsedate_to_datetime(date or "") - self.clock()
        except (TypeError, ValueError):  # no date, or one without a time zone
            return False
        if abs(offset - self.offset) <= TOLERATED:
            return False
        self.offset = offset
        minutes = round(-offset / timedelta(minutes=1))
        _log.warning("the clock of this machine is %+d minutes off the object store's, whose time is used", minutes)
        return True

    def signs_for(self, client: "S3Client") -> None:
        """Make an aiobotocore client of S3 sign by this time, and repeat requests refused for it."""
        events = client.meta.events
        events.register_first("choose-signer.s3", lambda **_: _SIGNER)  # type: ignore[arg-type]  # the stubs forget answers
        events.register_first("before-sign.s3", self._stamp)
        events.register_first("needs-retry.s3", self._retried)  # type: ignore[arg-type]  # the same

    def _stamp(self, request: AWSRequest, **_: object) -> None:
        request.context[_NOW] = self.now()

    def _retried(self, response: tuple[AWSResponse, object] | None, **_: object) -> int | None:
        """The seconds until a retry, or ``None`` for botocore to decide."""
        if response is None or response[0].status_code != _FORBIDDEN:
            return None
        return 0 if self.learn(response[0].headers.get("date")) else None


def sign_at(signer: SigV4Auth, request: AWSRequest, moment: datetime) -> None:
    """Sign as botocore does, which takes the moment from the clock."""
    request.context["timestamp"] = f"{moment:%Y%m%dT%H%M%SZ}"
    signer._modify_request_before_signing(request)  # type: ignore[attr-defined]  # botocore's own
    to_sign = signer.string_to_sign(request, signer.canonical_request(request))
    signer._inject_signature_to_request(request, signer.signature(to_sign, request))  # type: ignore[attr-defined]  # same


class _Signer(S3SigV4Auth):
    """botocore's signer, using the time in the request."""

    def add_auth(self, request: AWSRequest) -> None:
        sign_at(self, request, request.context[_NOW])


AUTH_TYPE_MAPS[_SIGNER] = _Signer
