"""Which addresses on the network a picture may be fetched from."""

import ipaddress
import socket

import attrs

from facecv.core.errors import ImageFetchError

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@attrs.frozen
class UrlPolicy:
    """What a fetcher may ask for.

    Attributes:
        schemes: of URLs.
        redirects: the most to follow; each is checked like the first URL.
        public_only: refuse addresses that are not on the public internet (private, loopback,
            link-local, multicast, reserved), and use no proxy, which would look names up itself.
    """

    schemes: tuple[str, ...] = ("http", "https")
    redirects: int = attrs.field(default=5, validator=attrs.validators.ge(0))
    public_only: bool = False


def public_address(host: str, port: int) -> str:
    """Return an address of `host` to connect to; all that it has must be public.

    Whoever connects to the address returned, and does not look the name up again, cannot be led
    elsewhere by a name that changes its meaning in between.

    Raises:
        ImageFetchError: the name is not known, or an address is not public.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ImageFetchError(f"there is no host {host!r}") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(is_public(address) for address in addresses):
        # Neither the address nor whether the name exists is told: that is what a scan is after.
        raise ImageFetchError(f"{host!r} is not on the public internet")
    return addresses[0]


def is_public(text: str) -> bool:
    """Return whether an address, IPv4 or IPv6, is one of the public internet."""
    try:
        address: IpAddress = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = _embedded(address)
        if inner is not None:
            return is_public(str(inner))
        if address not in _GLOBAL_UNICAST:
            return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that packets to an IPv6 address end at, where there is one."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)
