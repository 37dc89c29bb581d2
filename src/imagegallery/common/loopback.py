"""Which hosts are this machine itself. Pure."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether ``host``, a name or an address without port, is this machine."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_loopback or bool(mapped and mapped.is_loopback)
