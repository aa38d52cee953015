"""The Script URL, which Stone Edge shows without `https://` (stone_edge.md section 2.1), in its one spelling.

Unlike a store's address it may have a query: the script that BigCommerce once hosted had one (section 1.3).
"""

import re
import urllib.parse
from dataclasses import dataclass, field
from typing import Final

from providers.core import address
from providers.core.errors import AddressRefused

LONGEST: Final = 1000

_PARTS = re.compile(r"([^/?#]*)([^?#]*)(?:\?([^#]*))?")
_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~!$&'()*+,;=:@-]*)*")
_OURS = ("setifunction", "setiuser", "password")


@dataclass(frozen=True, slots=True)
class ScriptUrl:
    """Where the script is: `origin` is scheme, host and port; `path` begins with a slash; `query` are names and
    values. Only the origin is shown: what follows may be all that keeps strangers out."""

    origin: str
    path: str = field(repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def text(self) -> str:
        """The whole URL."""
        return self.origin + self.path + (f"?{urllib.parse.urlencode(self.query)}" if self.query else "")


def script_url(text: str) -> ScriptUrl:
    """The Script URL that somebody was given. `AddressRefused`, which never repeats it, where it is none.

    `https://` is put before what has no scheme; plain http is refused, and never made of https.
    """
    text = text.strip()
    if len(text) > LONGEST or re.search(r"[\s\x00-\x20\x7f\\]", text):
        raise AddressRefused("a Script URL has no blanks, control characters or backslashes, and is short")
    # A host and its port look like a scheme, but for the digit.
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):(?![0-9])(?://)?", text)
    if scheme and scheme[1].lower() == "http":
        raise AddressRefused("plain http is refused: the password would travel readable", do="Ask for one with https")
    if scheme and not text.lower().startswith("https://"):
        raise AddressRefused("a Script URL begins with https:// or with its host")
    parts = _PARTS.fullmatch(text[scheme.end() :] if scheme else text)
    if parts is None:
        raise AddressRefused("a Script URL ends before '#'")
    if not parts[1]:
        raise AddressRefused("a Script URL begins with https:// or with its host")
    return ScriptUrl(address.parse(f"https://{parts[1]}").url, _path(parts[2] or "/"), _query(parts[3] or ""))


def _path(path: str) -> str:
    if not _PATH.fullmatch(path):
        raise AddressRefused("the path of a Script URL holds plain letters, and no '.' or '..' as a part")
    return path


def _query(text: str) -> tuple[tuple[str, str], ...]:
    """The query. What the check sends must not stand in it as well: a script might read that one of the two."""
    pairs = tuple(urllib.parse.parse_qsl(text, keep_blank_values=True))
    if any(word in name.lower() for name, _ in pairs for word in _OURS):
        raise AddressRefused("a Script URL holds no function and no login", do="Give the URL as Stone Edge shows it")
    return pairs
