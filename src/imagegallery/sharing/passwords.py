"""Passwords of links, by argon2id with the parameters that OWASP names first (19 MiB, two passes, one lane).

Each takes a processor for some hundredths of a second, so a process hashes a few at a time, in threads, and refuses
those who would wait behind many others.
"""

from typing import Final

import anyio.to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from attrs import define, field

from imagegallery.errors import Overloaded

AT_ONCE: Final = 2
MAX_WAITING: Final = 20
_RETRY_AFTER: Final = 5
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@define
class Passwords:
    """Hashes and verifies, off the event loop."""

    _limit: anyio.CapacityLimiter = field(factory=lambda: anyio.CapacityLimiter(AT_ONCE))

    async def hash(self, password: str) -> str:
        """What to keep of a password. Raises `Overloaded`."""
        self._admit()
        return await anyio.to_thread.run_sync(_HASHER.hash, password, limiter=self._limit)

    async def verify(self, kept: str, password: str) -> bool:
        """Whether it is the password that this was kept of. Raises `Overloaded`."""
        self._admit()
        return await anyio.to_thread.run_sync(_verify, kept, password, limiter=self._limit)

    def _admit(self) -> None:
        if self._limit.statistics().tasks_waiting >= MAX_WAITING:
            raise Overloaded("Too many passwords are being checked; try again in a moment.", retry_after=_RETRY_AFTER)


def _verify(kept: str, password: str) -> bool:
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
