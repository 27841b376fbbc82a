"""One POST to an address that a user of this site has named, without becoming a door into the network behind it.

The name is resolved once, every address it has must be public, and the connection goes to the very address that was
checked: a name that means another address a moment later gains nothing. Redirects are not followed.
"""

from __future__ import annotations

import socket
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

TIMEOUT = 10.0  # seconds
KEPT = 2_000  # bytes of the answer
NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))


class Refused(ValueError):
    """An address that nothing is sent to; the message says why and what to do."""


class NotDelivered(Exception):
    """Nobody answered; the message says what happened."""


def check_url(url: str, *, allow_private: bool) -> SplitResult:
    """The parts of an http or https URL. Raises Refused for any other, and for a private address named outright."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Refused(f"{url} is not an address ({error}). Write it as https://example.org/path.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refused(f"{url} is not an address that can be posted to. Write it as https://example.org/path.")
    if parts.username or parts.password:
        raise Refused(f"{parts.hostname} is named with a password in the address. Leave it out: messages are signed.")
    if port == 0:
        raise Refused(f"{url} names port 0. Leave the port out, or name the right one.")
    try:
        named = ip_address(parts.hostname)
    except ValueError:
        return parts
    if not allow_private and not is_public(named):
        raise Refused(private(parts.hostname))
    return parts


def private(host: str) -> str:
    return (
        f"{host} is an address inside a private network, where this site sends nothing. Name a public one, or have "
        "the administrator set WEBHOOKS_TO_PRIVATE_ADDRESSES."
    )


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether anybody on the internet could send there too, whatever the address is wrapped in."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and any(address in network for network in NAT64):
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def resolve(host: str, port: int, *, allow_private: bool) -> str:
    """The first of the host's addresses. Raises Refused when one of them is private, NotDelivered when it has none."""
    try:
        found = [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise NotDelivered(f"{host} cannot be found: {error}.") from error
    if not allow_private and not all(is_public(ip_address(address.split("%")[0])) for address in found):
        raise Refused(private(host))
    return found[0]


class PinnedConnection(HTTPConnection):
    """Talks to the address that was checked, under the name that was asked for."""

    def __init__(self, host: str, port: int, address: str) -> None:
        super().__init__(host, port, timeout=TIMEOUT)
        self.address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self.address, self.port), TIMEOUT)


class PinnedSecureConnection(HTTPSConnection):
    """The same with the certificate checked against the name."""

    def __init__(self, host: str, port: int, address: str) -> None:
        self.certificates = ssl.create_default_context()
        super().__init__(host, port, timeout=TIMEOUT, context=self.certificates)
        self.address = address

    def connect(self) -> None:
        plain = socket.create_connection((self.address, self.port), TIMEOUT)
        self.sock = self.certificates.wrap_socket(plain, server_hostname=self.host)


def post(url: str, body: str, headers: dict[str, str], *, allow_private: bool) -> tuple[int, str]:
    """Send it; returns the status and the beginning of the answer. Raises Refused or NotDelivered."""
    parts = check_url(url, allow_private=allow_private)
    host, secure = str(parts.hostname), parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    address = resolve(host, port, allow_private=allow_private)
    connection = (PinnedSecureConnection if secure else PinnedConnection)(host, port, address)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", path, body=body.encode(), headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(KEPT).decode("utf-8", errors="replace").replace("\x00", "")
    except (OSError, HTTPException, UnicodeError, ValueError) as error:
        raise NotDelivered(f"{host} did not answer: {type(error).__name__}: {error}") from error
    finally:
        connection.close()
