"""Requests from a machine whose clock is wrong, signed by the time that the service reports.

S3 refuses requests that are more than 15 minutes off (RequestTimeTooSkewed). Every response has a ``Date`` (RFC 9110
section 6.6.1). After a refusal, requests are signed by the service's time, and the refused one is repeated.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from attrs import define, field
from botocore.auth import AUTH_TYPE_MAPS, S3SigV4Auth
from botocore.awsrequest import AWSRequest

from imagegallery.clock import Clock

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

    def signs_for(self, client: Any) -> None:
        """Make an aiobotocore client of S3 sign by this time, and repeat requests refused for it."""
        events = client.meta.events
        events.register_first("choose-signer.s3", lambda **_: _SIGNER)
        events.register_first("before-sign.s3", self._stamp)
        events.register_first("needs-retry.s3", self._retried)

    def _stamp(self, request: AWSRequest, **_: object) -> None:
        request.context[_NOW] = self.now()

    def _retried(self, response: tuple[Any, Mapping[str, Any]] | None, **_: object) -> int | None:
        """The seconds until a retry, or ``None`` for botocore to decide."""
        if response is None or response[0].status_code != _FORBIDDEN:
            return None
        return 0 if self.learn(response[0].headers.get("date")) else None


class _Signer(S3SigV4Auth):  # type: ignore[misc]  # botocore has no types
    """botocore's signer, using the time in the request."""

    def add_auth(self, request: AWSRequest) -> None:
        request.context["timestamp"] = f"{request.context[_NOW]:%Y%m%dT%H%M%SZ}"
        self._modify_request_before_signing(request)
        to_sign = self.string_to_sign(request, self.canonical_request(request))
        self._inject_signature_to_request(request, self.signature(to_sign, request))


AUTH_TYPE_MAPS[_SIGNER] = _Signer
