"""Who may continue, and who must wait."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import Final, Protocol
from uuid import UUID

from attrs import frozen

from imagegallery.errors import RateLimited, UploadRateExceeded
from imagegallery.principal import Principal
from imagegallery.rates.options import Rate, RateOptions

# What one subscriber gets (RFC 6177 section 2), who may use any address in it.
_IPV6_NETWORK_BITS: Final = 64


class Counts(Protocol):
    async def hit(self, rate: Rate, name: str) -> float | None:
        """Count one event under this name, or return the seconds to wait if the limit is reached.

        Never raises because a server does not respond.
        """


class GovernedRates(Protocol):
    async def rates(self) -> RateOptions:
        """The rates that hold now. Must not raise because a server does not respond."""


_parsed = lru_cache(maxsize=64)(Rate.parse)


@frozen
class RateLimiter:
    """Applies rates with ``counts``, without which there are no limits: those of the options, unless somebody governs
    them."""

    counts: Counts | None
    options: RateOptions
    governed: GovernedRates | None = None

    async def admit_request(self, principal: Principal, address: str | None) -> None:
        """Count one request from the client's ``address``, if known. Raises `RateLimited`."""
        rates = await self._rates()
        if principal.user_id is not None:
            rate, name = rates.users, f"user/{principal.user_id}"
        else:
            rate, name = rates.visitors, f"visitor/{network_of(address)}"
        wait = await self._hit(rate, name)
        if wait is not None:
            raise RateLimited("Too many requests; try again later.", retry_after=_whole(wait))

    async def admit_upload(self, owner_id: str) -> None:
        """Count one upload. Raises `UploadRateExceeded`."""
        rates = await self._rates()
        wait = await self._hit(rates.uploads, f"uploads/{owner_id}")
        if wait is not None:
            raise UploadRateExceeded("Too many uploads; try again later.", retry_after=_whole(wait))

    async def admit_password(self, share_id: UUID, address: str | None) -> None:
        """Count one try at the password of a share from the client's ``address``, if known. Raises `RateLimited`."""
        wait = await self._hit(self.options.passwords, f"passwords/{share_id}/{network_of(address)}")
        if wait is not None:
            raise RateLimited("Too many passwords were tried; try again later.", retry_after=_whole(wait))

    async def admit_guest(self, share_id: UUID, address: str | None) -> None:
        """Count one more name given to a share from the client's ``address``, if known. Raises `RateLimited`."""
        wait = await self._hit(self.options.guests, f"guests/{share_id}/{network_of(address)}")
        if wait is not None:
            raise RateLimited("Too many guests; try again later.", retry_after=_whole(wait))

    async def admit_share_upload(self, share_id: UUID) -> None:
        """Count one upload by guests of a share. Raises `UploadRateExceeded`."""
        wait = await self._hit(self.options.share_uploads, f"uploads by/{share_id}")
        if wait is not None:
            raise UploadRateExceeded("Too many uploads; try again later.", retry_after=_whole(wait))

    async def _rates(self) -> RateOptions:
        return self.options if self.governed is None else await self.governed.rates()

    async def _hit(self, rate: str | None, name: str) -> float | None:
        if rate is None or self.counts is None:
            return None
        return await self.counts.hit(_parsed(rate), name)


def network_of(address: str | None) -> str:
    """The part of an address that tells clients apart. All clients without one share a name. Pure."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return address or ""
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        host_bits = parsed.max_prefixlen - _IPV6_NETWORK_BITS
        return str(IPv6Address(int(parsed) >> host_bits << host_bits))
    return str(parsed)


def _whole(seconds: float) -> int:
    """Seconds for ``Retry-After`` (RFC 9110 section 10.2.3), at least one."""
    return max(1, ceil(seconds))


UNLIMITED: Final = RateLimiter(None, RateOptions())
