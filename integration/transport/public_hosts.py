"""Hosts that somebody else names, as receivers of webhooks: only public addresses, whatever their names resolve to.

A caller could otherwise have the app call what only the app can reach (server-side request forgery): the metadata
service of Azure, a private endpoint, this machine. The address is checked when the connection is made
(public_resolver.py), so that a name that resolves to something else than before is refused, too.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

_AZURE: Final = ip_address("168.63.129.16")
"""The platform's own address within each virtual machine; it is public only by its number."""
_NAT64: Final = ("64:ff9b:",)


def is_public(text: str) -> bool:
    """Whether `text` is an address that anybody can reach over the internet."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return _is_public(address)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if inner:
            return _is_public(inner)
        if address.compressed.startswith(_NAT64):
            return False
    return address.is_global and not address.is_multicast and address != _AZURE
