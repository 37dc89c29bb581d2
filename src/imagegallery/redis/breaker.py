"""A circuit breaker: when to leave alone what keeps failing, and when to try it again. Pure.

Closed, it lets every call through and counts failures in a row. Opened, it refuses every call, so that nobody waits for
a server that is down; each time it has rested it lets one call through, and a success closes it.
"""

from datetime import datetime, timedelta
from typing import TypeAlias

from attrs import frozen


@frozen
class Closed:
    """``failures`` in a row so far."""

    failures: int = 0


@frozen
class Opened:
    """Refused until then."""

    until: datetime


State: TypeAlias = Closed | Opened


@frozen
class Breaker:
    """The rules: opened by more than ``failures_allowed`` in a row, tried again each time it had a ``rest``."""

    failures_allowed: int
    rest: timedelta

    def ask(self, state: State, now: datetime) -> tuple[bool, State]:
        """Whether a call may be made, and the state from then on.

        Who is let through an opened breaker is alone until it comes back or another ``rest`` is over: a trial that
        never comes back holds nobody up. A rest that is longer than the rule (the clock was set back) is over.
        """
        if isinstance(state, Closed):
            return True, state
        if timedelta(0) < state.until - now <= self.rest:
            return False, state
        return True, Opened(now + self.rest)

    def failed(self, state: State, now: datetime) -> State:
        """After a call that failed."""
        if isinstance(state, Closed) and state.failures < self.failures_allowed:
            return Closed(state.failures + 1)
        return Opened(now + self.rest)

    def succeeded(self, state: State) -> State:
        """After a call that did not."""
        return state if state == Closed() else Closed()
