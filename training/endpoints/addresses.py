"""Which addresses another model may have: public ones, and those an administrator has listed."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from annotate.webhooks.outbound import Refused, check_url, is_public
from training.endpoints.troubles import Denied, Lost

ENDINGS = ("/chat/completions", "/completions")


def check_address(url: str, allowed: Sequence[str]) -> str:
    """The base URL as it is kept: without what is added to it, no slash at its end. Raises Denied."""
    url = url.strip()
    for ending in ENDINGS:
        url = url.rstrip("/").removesuffix(ending)
    parts = urlsplit(url) if "[" not in url or "]" in url else None
    if parts is not None and (parts.username or parts.password):
        raise Denied(f"{parts.hostname} is named with a password in the address. Enter it as the key.")
    if parts is not None and (parts.query or parts.fragment):
        raise Denied(f"{url} has a “?” or a “#”. Enter the address up to there, such as https://api.example.org/v1.")
    try:
        checked = check_url(url, allow_private=True)
    except Refused as refused:
        raise Denied(f"{refused} For example https://api.example.org/v1.") from refused
    host = str(checked.hostname)
    try:
        named = str(ip_address(host))
    except ValueError:
        return url
    if not is_allowed(host, named, allowed):
        raise Denied(inside(host, named))
    return url


def is_allowed(host: str, address: str, allowed: Sequence[str]) -> bool:
    """Whether a connection to this address, found under this name, may be made."""
    found = ip_address(address.split("%")[0])
    return (
        is_public(found)
        or host.lower() in {item.lower() for item in allowed}
        or any(found in network for network in networks_of(allowed))
    )


def networks_of(allowed: Sequence[str]) -> list[IPv4Network | IPv6Network]:
    """The items that are addresses or CIDR ranges; the others are names."""
    networks = []
    for item in allowed:
        try:
            networks.append(ip_network(item, strict=False))
        except ValueError:
            continue
    return networks


def inside(host: str, address: str) -> str:
    where = host if host == address else f"{host} ({address})"
    return (
        f"{where} is inside a private network, where this site asks no model. Name a public address, or have the "
        f"administrator add {host} to ENDPOINT_PRIVATE_HOSTS."
    )


def resolve(host: str, port: int, allowed: Sequence[str]) -> list[str]:
    """The host's addresses, to be connected to as they stand. Raises Denied when one of them is not allowed, Lost when
    there is none."""
    try:
        found = [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise Lost(f"{host} cannot be found: {error}") from error
    for address in found:
        if not is_allowed(host, address, allowed):
            raise Denied(inside(host, address))
    return list(dict.fromkeys(found))
