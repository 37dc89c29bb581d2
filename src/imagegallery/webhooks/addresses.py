"""Which network addresses are anybody's to reach. Pure."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

# NAT64 (RFC 6052): the last 32 bits are the IPv4 address that is reached in the end.
_NAT64: Final = IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether this IP address is one of the internet's, and so is every one that is written inside it.

    Not public are loopback, private, link-local (the metadata services of clouds), multicast, reserved and
    unspecified addresses, by the registries of RFC 6890. Raises `ValueError` for what is no address.
    """
    parsed = ip_address(address.partition("%")[0])
    return all(each.is_global and not each.is_multicast for each in (parsed, *_inside(parsed)))


def _inside(address: IPv4Address | IPv6Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that an IPv6 address stands for, in one of the ways of transition."""
    if isinstance(address, IPv4Address):
        return ()
    mapped, sixtofour = address.ipv4_mapped, address.sixtofour
    nat64 = IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
    return (*(each for each in (mapped, sixtofour, nat64) if each is not None), *(address.teredo or ()))
