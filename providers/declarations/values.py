"""The kinds of values that declarations hold, each made from text by one rule, with its form in JSON Schema.

A rule that refuses raises `ValueError` in words; the reader of the files adds the place. Editors read YAML typed, so
the schema of a text allows strings only, and that of `true`/`false` booleans.
"""

import datetime
import ipaddress
import re
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from providers.core import address, sealing
from providers.core.errors import AddressRefused
from providers.declarations import names
from providers.declarations.names import shown
from providers.declarations.yaml_text import kind_of

LONGEST_LINE: Final = 200

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([1-9][0-9]{0,4})([smhd])")
_MAIL = r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?"
_HOST = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"


def _wrong_kind(value: object) -> ValueError:
    # pydantic collects `ValueError`; a `TypeError` would leave it.
    return ValueError(f"{kind_of(value)} was found where a text is expected")


def text(value: object) -> str:
    """Any text."""
    if not isinstance(value, str):
        raise _wrong_kind(value)
    return value


def line(value: object) -> str:
    """One line of text for people; runs of blanks are one blank."""
    found = text(value)
    if "\n" in found.strip("\n"):
        raise ValueError("a line break; write one line")
    found = " ".join(found.split())
    if not found:
        raise ValueError("an empty text")
    if len(found) > LONGEST_LINE:
        raise ValueError(f"{len(found)} characters; {LONGEST_LINE} are allowed")
    return found


def name(value: object) -> str:
    """A name as `names` defines it."""
    found = text(value)
    flaw = names.flaw(found)
    if flaw:
        raise ValueError(flaw)
    return found


def _matching(pattern: str, expected: str) -> Any:
    compiled = re.compile(pattern)

    def parse(value: object) -> str:
        found = text(value)
        if not compiled.fullmatch(found):
            raise ValueError(f"{shown(found)} is not {expected}")
        return found

    return parse


def seconds(value: object) -> int:
    """A duration such as `90d`, `24h`, `30m`, `5s`, in seconds."""
    found = text(value)
    match = _DURATION.fullmatch(found)
    if not match:
        raise ValueError(f"{shown(found)} is no duration; write a number and its unit, such as 90d, 24h, 30m or 5s")
    return int(match[1]) * _UNITS[match[2]]


def age(value: object) -> int | None:
    """A duration in seconds, or None for `never`."""
    if value == "never":
        return None
    try:
        return seconds(value)
    except ValueError as error:
        raise ValueError(f"{error}, or never") from None


def flag(value: object) -> bool:
    """`true` or `false`, and nothing that some reader takes for them."""
    found = text(value)
    if found not in {"true", "false"}:
        raise ValueError(f"{shown(found)} is neither true nor false")
    return found == "true"


def count(value: object) -> int:
    """A whole number from 1 to 9999."""
    found = text(value)
    if not re.fullmatch(r"[1-9][0-9]{0,3}", found):
        raise ValueError(f"{shown(found)} is no whole number from 1 to 9999")
    return int(found)


def port(value: object) -> int:
    """The number of a TCP port."""
    found = text(value)
    if not re.fullmatch(r"[1-9][0-9]{0,4}", found) or int(found) > 65535:
        raise ValueError(f"{shown(found)} is no port; write a whole number from 1 to 65535")
    return int(found)


def public_key(value: object) -> str:
    """A public key of age. What is none is not repeated: it may be the secret one."""
    found = text(value)
    flaw = sealing.key_flaw(found)
    if flaw:
        raise ValueError(flaw)
    return found


def day(value: object) -> datetime.date:
    """A day as `2026-11-20`."""
    found = text(value)
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", found):
            raise ValueError
        return datetime.date.fromisoformat(found)
    except ValueError:
        raise ValueError(f"{shown(found)} is no day; write it as 2026-11-20") from None


def networks(value: object) -> tuple[str, ...]:
    """One network or a list of them, such as `10.20.0.0/24` or `::1/128`."""
    found = value if isinstance(value, list) else [value]
    if not found:
        raise ValueError("an empty list; write a network such as 10.20.0.0/24")
    return tuple(_network(entry) for entry in found)


def _network(value: object) -> str:
    found = text(value)
    try:
        network = ipaddress.ip_network(found)
    except ValueError:
        raise ValueError(f"{shown(found)} is no network; write one such as 10.20.0.0/24, without host bits") from None
    if network.prefixlen < 8:
        raise ValueError(f"{shown(found)} is too wide; /8 is the widest allowed")
    return str(network)


def _relative_file(value: object) -> str:
    found = text(value)
    parts = found.split("/")
    if not re.fullmatch(r"[A-Za-z0-9._/-]+", found) or "" in parts or ".." in parts or "." in parts:
        raise ValueError(f"{shown(found)} is no path inside the project, such as certificates/own-ca.pem")
    return found


def endpoint(value: object) -> str:
    """The address of a vendor's host in its one spelling; `{word}` in it stands for a word of the store."""
    found = text(value)
    plain = _PLACEHOLDER.sub("x", found)
    try:
        spelled = address.parse(plain).url
    except AddressRefused as error:
        # Without the text itself: it may hold a password.
        raise ValueError(error.what) from None
    if spelled != plain:
        raise ValueError(f"write the host of {shown(found)} in lower case, and no port 443")
    return found


def placeholders(found: str) -> frozenset[str]:
    """The words of a store that an endpoint holds."""
    return frozenset(_PLACEHOLDER.findall(found))


_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")

_LINE_SCHEMA = {"type": "string", "minLength": 1, "maxLength": LONGEST_LINE}
_DURATION_PATTERN = f"^{_DURATION.pattern}$"

Text = Annotated[str, PlainValidator(text), WithJsonSchema({"type": "string", "minLength": 1})]
Line = Annotated[str, PlainValidator(line), WithJsonSchema(_LINE_SCHEMA)]
Name = Annotated[
    str,
    PlainValidator(name),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^(?!({'|'.join(sorted(names.REFUSED))})$){names.NAME}$",
            "maxLength": names.LONGEST_NAME,
        }
    ),
]
Seconds = Annotated[int, PlainValidator(seconds), WithJsonSchema({"type": "string", "pattern": _DURATION_PATTERN})]
Age = Annotated[
    int | None,
    PlainValidator(age),
    WithJsonSchema({"type": "string", "pattern": f"^(never|{_DURATION.pattern})$"}),
]
Flag = Annotated[bool, PlainValidator(flag), WithJsonSchema({"type": "boolean"})]
Count = Annotated[int, PlainValidator(count), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 9999})]
Port = Annotated[int, PlainValidator(port), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 65535})]
PublicKey = Annotated[
    str, PlainValidator(public_key), WithJsonSchema({"type": "string", "pattern": f"^{sealing.KEY_PATTERN}$"})
]
Day = Annotated[datetime.date, BeforeValidator(day), WithJsonSchema({"type": "string", "format": "date"})]
Networks = Annotated[
    tuple[str, ...],
    BeforeValidator(networks),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]},
    ),
]
Endpoint = Annotated[str, PlainValidator(endpoint), WithJsonSchema({"type": "string", "pattern": r"^https://[^/?#@]+"})]
RelativeFile = Annotated[str, PlainValidator(_relative_file), WithJsonSchema({"type": "string", "minLength": 1})]


def recipient(value: object) -> str:
    """A mail address, or all of a domain."""
    found: str = _matching(*_RECIPIENT)(value)
    return found


def shaped(pattern: str, expected: str) -> Any:
    """The annotations of a text of one shape; `expected` says what it is, with an example."""
    return PlainValidator(_matching(pattern, expected)), WithJsonSchema({"type": "string", "pattern": f"^{pattern}$"})


Word = Annotated[str, *shaped(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", "a word of ours, such as api_key")]
_RECIPIENT = (rf"({_MAIL}|\*@{_HOST})", "a mail address, or all of a domain as *@agency.example")

Mail = Annotated[str, *shaped(_MAIL, "a mail address such as team@agency.example")]
Recipient = Annotated[str, *shaped(*_RECIPIENT)]
Host = Annotated[str, *shaped(_HOST, "a host name in lower case, without scheme, port or path")]
Segment = Annotated[str, *shaped(_SEGMENT, "an entry's name: letters, digits, '.', '_' and '-', 64 at most")]
VaultPath = Annotated[
    str, *shaped(rf"{_SEGMENT}(/{_SEGMENT})*", "a path in Vault: segments of letters, digits, '.', '_' and '-'")
]
