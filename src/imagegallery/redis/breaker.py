"""A circuit breaker: when to stop calling what keeps failing, and when to try again. Pure.

Closed, it lets every call pass and counts consecutive failures. Open, it refuses every call, so that nobody waits for a
server that is down. After each rest it lets one call pass, and a success closes it.
"""

from datetime import datetime, timedelta
from typing import TypeAlias

from attrs import frozen


@frozen
class ClosedState:
    """``failures`` in a row so far."""

    failures: int = 0


@frozen
class OpenState:
    """Calls are refused until then."""

    until: datetime


State: TypeAlias = ClosedState | OpenState


@frozen
class Breaker:
    """The rules: it opens after more than ``failures_allowed`` in a row, and tries again after each ``rest``."""

    failures_allowed: int
    rest: timedelta

    def ask(self, state: State, now: datetime) -> tuple[bool, State]:
        """Return whether a call may be made, and the next state.

        One call at a time passes an open breaker, until it returns or another ``rest`` has passed: a call that never
        returns blocks nobody. A rest longer than the rule (the clock was set back) is over.
        """
        if isinstance(state, ClosedState):
            return True, state
        if timedelta(0) < state.until - now <= self.rest:
            return False, state
        return True, OpenState(now + self.rest)

    def after_failure(self, state: State, now: datetime) -> State:
        """Return the state after a failed call."""
        if isinstance(state, ClosedState) and state.failures < self.failures_allowed:
            return ClosedState(state.failures + 1)
        return OpenState(now + self.rest)

    def after_success(self, state: State) -> State:
        """Return the state after a successful call."""
        return state if state == ClosedState() else ClosedState()
