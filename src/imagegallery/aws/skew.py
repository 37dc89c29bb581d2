"""A machine whose clock is wrong, and services that refuse what is signed by it: their answers tell the time.

S3 refuses requests that are more than 15 minutes off (RequestTimeTooSkewed). Every answer has a ``Date`` (RFC 9110
section 6.6.1); from a refusal on, requests are signed by the service's time, and the refused one is sent again.
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
"""Less than this is the way of an answer through the network, and no reason for a refusal."""

_SIGNER = "imagegallery-s3v4"
_NOW = "imagegallery_now"
_FORBIDDEN = 403
_log = logging.getLogger(__name__)


@define
class ServiceTime:
    """``offset`` is how far the service's clock is ahead of ours, as far as we had to learn it."""

    clock: Clock
    offset: timedelta = field(default=timedelta(0))

    def now(self) -> datetime:
        return self.clock() + self.offset

    def learn(self, date: str | None) -> bool:
        """Whether the ``Date`` of a refusal shows that our time was the reason: ``offset`` is right from then on."""
        try:
            offset = parsedate_to_datetime(date or "") - self.clock()
        except (TypeError, ValueError):  # of no time zone, or no date
            return False
        if abs(offset - self.offset) <= TOLERATED:
            return False
        self.offset = offset
        minutes = round(-offset / timedelta(minutes=1))
        _log.warning("the clock of this machine is %+d minutes off the object store's, whose time is used", minutes)
        return True

    def signs_for(self, client: Any) -> None:
        """Have an S3 client of aiobotocore's sign by this time, and try again what was refused for it."""
        events = client.meta.events
        events.register_first("choose-signer.s3", lambda **_: _SIGNER)
        events.register_first("before-sign.s3", self._stamp)
        events.register_first("needs-retry.s3", self._retried)

    def _stamp(self, request: AWSRequest, **_: object) -> None:
        request.context[_NOW] = self.now()

    def _retried(self, response: tuple[Any, Mapping[str, Any]] | None, **_: object) -> int | None:
        """Seconds after which to try again; ``None``: that is not for us to say."""
        if response is None or response[0].status_code != _FORBIDDEN:
            return None
        return 0 if self.learn(response[0].headers.get("date")) else None


class _Signer(S3SigV4Auth):  # type: ignore[misc]  # botocore has no types
    """botocore's signer, by the time that the request was stamped with."""

    def add_auth(self, request: AWSRequest) -> None:
        request.context["timestamp"] = f"{request.context[_NOW]:%Y%m%dT%H%M%SZ}"
        self._modify_request_before_signing(request)
        to_sign = self.string_to_sign(request, self.canonical_request(request))
        self._inject_signature_to_request(request, self.signature(to_sign, request))


AUTH_TYPE_MAPS[_SIGNER] = _Signer
