"""What Stone Edge gives back: Cart ID/Username, Cart Password and Script URL (stone_edge.md section 1).

In which form is unknown (section 5), so lines with the vendor's labels are read, ours, and bare lines in this order.
Errors name the line, never what stands in it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from providers.core.errors import AddressRefused, ConnectionsError
from providers.core.redaction import Secret
from providers.stone_edge.script_url import ScriptUrl, script_url

FIELDS: Final = ("cart_id", "cart_password", "script_url")
"""The names of the three values in Vault, in the vendor's order."""

LARGEST: Final = 16 * 1024
"""Bytes of what is read."""

_LONGEST = 500
_LABELS: Final[Mapping[str, str]] = {
    "cart id/username": "cart_id",
    "cart id": "cart_id",
    "cart username": "cart_id",
    "username": "cart_id",
    "cart password": "cart_password",
    "password": "cart_password",
    "script url": "script_url",
    "url": "script_url",
}
"""What the values are called (section 1.1), in lower case and with single blanks; `_` and `-` count as blanks."""

_LABELLED = re.compile(r"[\"']?([A-Za-z][A-Za-z /_-]*?)[\"']?\s*[:=]\s*(.*)")
_FORM = (
    "Give cart_id=..., cart_password=..., script_url=..., each on a line of its own; or only the values, in this order"
)


@dataclass(frozen=True, slots=True)
class Inbound:
    """The login of the store at Connect2Cart, and the script that takes it."""

    cart_id: Secret
    cart_password: Secret
    script: ScriptUrl

    def values(self) -> dict[str, Secret]:
        """The values by their names in Vault."""
        return dict(zip(FIELDS, (self.cart_id, self.cart_password, Secret(self.script.text)), strict=True))


def inbound(values: Mapping[str, Secret]) -> Inbound:
    """The values by their names, as somebody typed them or as they lie in Vault.

    `ConnectionsError` names the one that is missing or cannot be.
    """
    for name in FIELDS:
        if name not in values or not _fits(values[name].reveal()):
            raise ConnectionsError(f"{name} is missing, too long or no plain text", do=_FORM)
    try:
        script = script_url(values["script_url"].reveal())
    except AddressRefused as error:
        raise AddressRefused(error.what, do=error.do, where=error.where or "script_url") from None
    return Inbound(values["cart_id"], values["cart_password"], script)


def parsed(data: bytes) -> Inbound:
    """The values in a text of lines, as it came through standard input."""
    if len(data) > LARGEST:
        raise ConnectionsError(f"more than {LARGEST} bytes were given", do="Give the values alone")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConnectionsError("what was given is no text", do="Give the values alone, as text") from None
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    named = {number: found for number, line in lines if (found := _labelled(line))}
    if not named and len(lines) == len(FIELDS):
        named = {number: (name, line) for name, (number, line) in zip(FIELDS, lines, strict=True)}
    places: dict[str, int] = {}
    for number, _ in lines:
        name, value = named.get(number, ("", ""))
        if not name:
            raise ConnectionsError(f"line {number} is not understood", do=_FORM)
        if not _fits(value):
            raise ConnectionsError(f"line {number} has no value, or one that is too long or no plain text", do=_FORM)
        if name in places:
            raise ConnectionsError(f"line {number} gives {name} a second time", do="Give each value once")
        places[name] = number
    missing = [name for name in FIELDS if name not in places]
    if missing:
        raise ConnectionsError(f"{' and '.join(missing)} was not given", do=_FORM)
    try:
        return inbound({name: Secret(named[number][1]) for name, number in places.items()})
    except AddressRefused as error:
        raise AddressRefused(error.what, do=error.do, where=f"line {places['script_url']}") from None


def _labelled(line: str) -> tuple[str, str] | None:
    """The name and the value of a line that begins with a label."""
    found = _LABELLED.fullmatch(line)
    label = " ".join(re.sub(r"[_-]", " ", found[1]).lower().split()) if found else ""
    return (_LABELS[label], _unquoted(found[2])) if found and label in _LABELS else None


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _fits(value: str) -> bool:
    return 0 < len(value) <= _LONGEST and value.isprintable()
