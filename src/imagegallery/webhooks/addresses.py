"""Which network addresses are public. Pure.

The networks are listed here because what `ipaddress` calls global differs between patch releases of Python.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

# IANA IPv4 Special-Purpose Address Registry (RFC 6890), and multicast.
_NOT_PUBLIC_4: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by a provider's customers
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's own, which a machine there reaches its platform by
        "169.254.0.0/16",  # link-local: the metadata services of clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; some clouds have metadata services here
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays, deprecated (RFC 7526)
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)

# All IPv6 addresses allocated to hosts (RFC 4291, IANA IPv6 Address Space). Others are loopback, addresses that hold an
# IPv4 address (compatible, mapped, translated), local NAT64 (RFC 8215), segment identifiers (5f00::/16), unique local,
# link-local, site-local and multicast addresses.
_GLOBAL_UNICAST_6: Final = IPv6Network("2000::/3")

# IANA IPv6 Special-Purpose Address Registry (RFC 6890), inside of that.
_NOT_PUBLIC_6: Final = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: leads to the IPv4 address inside; deprecated (RFC 7526)
        "3fff::/20",  # documentation (RFC 9637)
    )
)

# NAT64 (RFC 6052): the last 32 bits are the IPv4 address that is finally reached. Hosts without IPv4 see the whole IPv4
# internet through it, so it is not refused altogether.
_NAT64: Final = IPv6Network("64:ff9b::/96")


# Where clouds give a machine its keys. A receiver never needs them, in any private network.
_METADATA: Final = tuple(
    map(
        ip_network,
        (
            "169.254.0.0/16",  # link-local: AWS, Google, Azure, Oracle, OpenStack, DigitalOcean; ECS task roles
            "100.100.100.200",  # Alibaba
            "168.63.129.16",  # Azure's platform
            "192.0.0.192",  # Oracle, the old one
            "fe80::/10",  # link-local
            "fd00:ec2::/32",  # AWS: ::254, and of EKS pods ::23
            "fd00:42::42",  # Scaleway
            "fd20:ce::254",  # Google
        ),
    )
)


def is_metadata(address: str) -> bool:
    """Whether a cloud's metadata service may be there, also at an IPv6 address that leads to its IPv4 one.

    All link-local addresses count. Raises `ValueError` for an invalid address.
    """
    parsed = ip_address(address.partition("%")[0])
    reached = {parsed} if isinstance(parsed, IPv4Address) else {parsed, *_inside(parsed)}
    return any(each in network for each in reached for network in _METADATA)


def _inside(address: IPv6Address) -> set[IPv4Address]:
    """The IPv4 addresses that it may stand for: mapped, compatible, translated or NAT64 at its end, 6to4 after its
    start.
    Too many do no harm.
    """
    last = IPv4Address(int(address) & 0xFFFFFFFF)
    return {last, address.sixtofour} if address.sixtofour else {last}


def is_public(address: str) -> bool:
    """Whether this address is on the public internet, and so is one inside a NAT64 address.

    Not public are loopback, private, link-local (the metadata services of clouds), multicast, reserved and unspecified
    addresses, and those of other transition mechanisms. Raises `ValueError` for an invalid address.
    """
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv4Address):
        return _is_public_4(parsed)
    if parsed in _NAT64:
        return _is_public_4(IPv4Address(int(parsed) & 0xFFFFFFFF))
    return parsed in _GLOBAL_UNICAST_6 and not any(parsed in network for network in _NOT_PUBLIC_6)


def _is_public_4(address: IPv4Address) -> bool:
    return not any(address in network for network in _NOT_PUBLIC_4)
