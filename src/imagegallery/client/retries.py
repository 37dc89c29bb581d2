"""When to try again, and after how long. Pure."""

import random
from datetime import timedelta
from http import HTTPStatus

from attrs import field, frozen
from attrs.validators import ge, gt

from imagegallery.common.backoff import Backoff

# The server could not, or not now: RFC 9110 sections 15.5.9, 15.6; RFC 6585 section 4. Another try may do.
_PASSING = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


@frozen
class RetryPolicy:
    """The rules for retries. ``attempts`` includes the first.

    Pauses double from ``first_pause`` up to ``longest_pause``. A random factor from a half to one keeps clients that
    failed together from returning together.
    """

    attempts: int = field(default=7, validator=ge(1))
    first_pause: timedelta = field(default=timedelta(seconds=0.5), validator=gt(timedelta(0)))
    longest_pause: timedelta = field(default=timedelta(seconds=30), validator=gt(timedelta(0)))

    def may_try_again(self, failures: int) -> bool:
        return failures < self.attempts

    def pause(self, failures: int, asked: float | None = None, *, chance: float | None = None) -> float:
        """Return the seconds to wait after ``failures`` in a row, at least those that the server ``asked`` for.

        ``chance``, from 0 to 1, is random by default.
        """
        whole = Backoff(self.first_pause, self.longest_pause).after(failures).total_seconds()
        share = random.random() if chance is None else chance  # noqa: S311 - not for secrets
        return max(whole * (1 + share) / 2, asked or 0.0)


def is_passing(status: int) -> bool:
    """Whether the same request may succeed later."""
    return status in _PASSING
