"""The address of a site that people open in a browser and whose admin login lies in Vault under it."""

import ipaddress
import re
from typing import Final

from providers.declarations.names import shown
from providers.declarations.values import text

LONGEST_ADDRESS: Final = 200

_HOST_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PATH_SEGMENT = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,126}[A-Za-z0-9_-])?")
"""The login lies in Vault under the address, so a part of its path is one that Vault takes (core/vault/paths.py)."""
SITE_SCHEMA: Final = {"type": "string", "pattern": r"^[Hh][Tt][Tt][Pp][Ss]://[^\s?#@]*[^/\s?#@]$"}
"""What of it a JSON Schema can say."""


def site(value: object, pages: re.Pattern[str]) -> str:
    """A site's address as it is compared and used: https, host in lower case, no slash at the end.

    `pages` finds the end of a path that is one of the site's pages, which people copy from a browser.
    """
    found = text(value)
    if len(found) > LONGEST_ADDRESS:
        raise ValueError(f"{len(found)} characters; an address has {LONGEST_ADDRESS} at most")
    if not found.isascii() or re.search(r"[\s\\]", found):
        raise ValueError("a blank, a backslash or a letter outside ASCII; write other letters of a host as xn--...")
    if "@" in found:
        raise ValueError("an address holds no user or password; admin logins lie in Vault")
    scheme, separator, rest = found.partition("://")
    if scheme.lower() != "https" or not separator:
        raise ValueError(f"{shown(found)} does not begin with https://")
    if re.search(r"[?#]", rest):
        raise ValueError("an address ends before '?' or '#'")
    host, slash, path = rest.partition("/")
    address, path = f"https://{_host(host.lower())}", slash + path
    cut = pages.sub("", path)
    if cut != path:
        raise ValueError(f"this is a page of the store; cut it off: {address}{cut}")
    if path.endswith("/"):
        raise ValueError(f"no slash at the end: {address}{path.rstrip('/')}")
    if path and not all(_PATH_SEGMENT.fullmatch(segment) for segment in path[1:].split("/")):
        raise ValueError(
            "each part of a path consists of letters, digits, '.', '_' and '-', without '.' or '-' first or '.' last:"
            " the admin login lies under it in Vault"
        )
    return address + path


def _host(netloc: str) -> str:
    """Host and port, the usual port left out."""
    host, colon, port = netloc.partition(":")
    labels = host.split(".")
    if not host or not all(_HOST_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{shown(netloc)} is no host name")
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]):
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise ValueError(f"{shown(netloc)} is neither a host name nor an address such as 192.0.2.10") from None
    if colon and not (re.fullmatch(r"[1-9][0-9]{0,4}", port) and int(port) < 65536):
        raise ValueError(f"{shown(netloc)} has no valid port")
    return host if port in {"", "443"} else f"{host}:{port}"
