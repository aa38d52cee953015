"""Which addresses may be called: how an origin is written, and the guard against internal addresses.

A store's address is what somebody wrote into a file, so it may lead anywhere (vault.md 7.2, server-side request forgery).
`parse` gives every origin one spelling; `Guard` resolves its host and lets only addresses of the public internet through,
or, for a host the stack has opted in (`hosts.private` in `_stack.yaml`), only the networks named there. The caller connects
to the address that was checked, never to the name again: a name that changes its mind (DNS rebinding) gains nothing.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import idna

from providers.core.errors import AddressRefused

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

Resolve = Callable[[str, int], Sequence[str]]
"""Every address (A and AAAA) of a host, as text; `socket.gaierror` if there is none."""

HTTPS = 443

_SPELLING: tuple[tuple[str, str, str], ...] = (
    (r"\A(?i:http)://", "plain http is refused: the login and the key would travel readable", "Write https://"),
    (r"\A(?!https://)", "an address begins with https://", ""),
    (r"[\s\x00-\x20\x7f\\]", "an address has no blanks, control characters or backslashes", ""),
    (r"@", "an address holds no login and no '@'", "Logins belong into Vault, under the host they are for"),
    (r"[?#]", "an address ends before '?' and '#'", ""),
    (r"/\Z", "an address does not end in a slash", "Leave the last slash out"),
    (r"/\.{1,2}(/|\Z)", "an address holds no '.' or '..' as a part of its path", ""),
)
"""What is wrong with an address, looked for in this order: pattern, words, what to do. None of them repeats the address:
it may hold a password."""

_ORIGIN = re.compile(r"https://(\[[0-9A-Fa-f:.]+\]|[^/:\[\]%]+)(?::([1-9][0-9]{0,4}))?((?:/[A-Za-z0-9._~-]+)*)")
_NUMERIC = re.compile(r"(?:\A|\.)(?:[0-9]+|0x[0-9a-f]*)\Z")
"""A last label that some resolvers read as a number: `127.1`, `0x7f.1`, `2130706433` (WHATWG URL, "ends in a number")."""


def _networks(*texts: str) -> tuple[IPNetwork, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


_NEVER = _networks(
    "0.0.0.0/8",  # this host
    "169.254.0.0/16",  # link-local, with the metadata service of most clouds (169.254.169.254)
    "100.100.100.200/32",  # metadata service (Alibaba)
    "168.63.129.16/32",  # the host's own services (Azure), a public-looking address
    "224.0.0.0/4",  # multicast
    "255.255.255.255/32",  # broadcast
    "::/128",  # unspecified
    "::ffff:0:0/96",  # IPv4 in disguise
    "fd00:ec2::254/128",  # metadata service (AWS)
    "fe80::/10",  # link-local
    "ff00::/8",  # multicast
)
"""No store is there, whatever a stack opts in."""

_INTERNAL = _networks(
    "10.0.0.0/8",
    "100.64.0.0/10",  # shared by customers of a carrier (CGNAT)
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.0.0.0/24",  # protocol assignments
    "192.0.2.0/24",  # documentation
    "192.88.99.0/24",  # 6to4 relays
    "192.168.0.0/16",
    "198.18.0.0/15",  # benchmarks
    "198.51.100.0/24",  # documentation
    "203.0.113.0/24",  # documentation
    "240.0.0.0/4",  # reserved
    "2001::/23",  # protocol assignments, Teredo among them
    "2001:db8::/32",  # documentation
    "2002::/16",  # 6to4
    "3fff::/20",  # documentation
)
_PUBLIC_V6 = ipaddress.ip_network("2000::/3")
"""The only global unicast space of IPv6: loopback, unique local, NAT64 and the rest lie outside (IANA registries)."""


def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of a host by the system's resolver, in its order of preference."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Address:
    """An origin in its one spelling: host in ASCII and lower case, port, and `base`, "" or a sub-directory like `/shop`."""

    host: str
    port: int
    base: str

    @property
    def netloc(self) -> str:
        """Host and port as they stand in a URL and in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == HTTPS else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole address, without a slash at the end."""
        return f"https://{self.netloc}{self.base}"


def parse(url: str) -> Address:
    """The origin that `url` means, or `AddressRefused` with what is wrong about how it is written."""
    for pattern, words, advice in _SPELLING:
        if re.search(pattern, url):
            raise AddressRefused(words, do=advice)
    parts = _ORIGIN.fullmatch(url)
    if parts is None or int(parts[2] or HTTPS) > 65535:
        raise AddressRefused(
            "this is not an address",
            do="An address is https://, a host, a port if it is not 443, and a sub-directory of plain letters if any",
        )
    return Address(normal_host(parts[1]), int(parts[2] or HTTPS), parts[3])


def place_of(url: str) -> str:
    """Host, port where it is not the usual one, and path of an address in its one spelling; "" where it is no URL."""
    return url.partition("://")[2].strip("/")


def host_of(url: str) -> str:
    """The host alone of an address in its one spelling, "" where it is no URL."""
    return place_of(url).partition("/")[0].partition(":")[0]


def normal_host(text: str) -> str:
    """A host name in ASCII and lower case, or an IP address in its usual notation (IPv6 without brackets)."""
    try:
        if text.startswith("["):
            return str(IPv6Address(text[1:-1]))
        name = idna.encode(text, uts46=True).decode().lower()
        if _NUMERIC.search(name):
            return str(IPv4Address(name))
        if name.endswith("."):
            raise ValueError
    except ValueError:
        raise AddressRefused(
            "the host is neither a name nor an IP address in the usual notation",
            do="Write the host as its shop is known",
        ) from None
    return name


class Guard:
    """Says to which addresses a host may be connected.

    `private` maps a host to the networks it may resolve to: the opt-in of the stack. Such a host may use any port, and lies
    in these networks or is refused.
    """

    def __init__(self, private: Mapping[str, Sequence[IPNetwork]], resolver: Resolve = resolve) -> None:
        self._private = {normal_host(host): tuple(networks) for host, networks in private.items()}
        self._resolve = resolver

    def opted_in(self, host: str) -> bool:
        """Whether the stack has named this host in `hosts.private`."""
        return host in self._private

    def admit(self, address: Address) -> None:
        """Refuse a port that no store uses."""
        if address.port != HTTPS and not self.opted_in(address.host):
            raise AddressRefused(
                f"port {address.port} is not allowed, only {HTTPS}",
                do=f"List {address.host} with its network under hosts.private in _stack.yaml if this is meant",
                where=address.host,
            )

    def addresses(self, host: str, port: int) -> Sequence[IPAddress]:
        """The addresses to connect to. One that is not allowed refuses the host: `AddressRefused`."""
        try:
            found: Sequence[IPAddress] = [ipaddress.ip_address(host)]
        except ValueError:
            found = [ipaddress.ip_address(text) for text in self._resolve(host, port)]
        for address in found:
            self._check(host, address)
        return found

    def _check(self, host: str, address: IPAddress) -> None:
        if any(address in network for network in _NEVER):
            raise AddressRefused(f"{address} is never a store", do="Correct the address", where=host)
        networks = self._private.get(host)
        if networks is None:
            if not _is_public(address):
                raise AddressRefused(
                    f"{address} is an internal address",
                    do=f"List {host} with its network under hosts.private in _stack.yaml if this is meant",
                    where=host,
                )
        elif not any(address in network for network in networks):
            raise AddressRefused(
                f"{address} lies outside the networks that the stack allows this host",
                do=f"Correct the network of {host} under hosts.private in _stack.yaml",
                where=host,
            )


def _is_public(address: IPAddress) -> bool:
    if any(address in network for network in _INTERNAL):
        return False
    return address.version == 4 or address in _PUBLIC_V6
