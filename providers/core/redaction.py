"""Secrets that cannot print, and the last filter before every sink.

A `Secret` shows nothing in `str`, `repr`, format strings, JSON, pickles or comparisons of its text. While it lives it is
known to `redact`, which removes its value from any text in the encodings text travels in; once the call that needed it is
over and the object is gone, the filter has forgotten it (design.md section 8, vault.md 7.3).
"""

import base64
import hmac
import json
import re
import urllib.parse
import weakref
from collections.abc import Iterator
from typing import NoReturn

MASK = "***"
_SHORTEST = 4
"""Values shorter than this are not searched for: they would blank out ordinary words."""

_living: "weakref.WeakSet[Secret]" = weakref.WeakSet()


class Secret:
    """A text that must not be shown. `reveal` is the only way to it."""

    __slots__ = ("__weakref__", "_value")

    def __init__(self, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError("a secret is a text")
        self._value = value
        _living.add(self)

    def reveal(self) -> str:
        """The text itself: only for the one call that sends or stores it."""
        return self._value

    def tail(self, length: int) -> str:
        """The last characters, as stores show them beside a key."""
        return self._value[-length:]

    def same(self, other: "Secret") -> bool:
        """Whether both hold the same text, in constant time."""
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is never pickled")


def _encodings(value: str) -> Iterator[str]:
    """The value as text carries it: raw, URL-encoded, JSON-escaped, and base64 at all three offsets."""
    raw = value.encode()
    yield value
    yield urllib.parse.quote(value, safe="")
    yield urllib.parse.quote_plus(value)
    yield json.dumps(value)[1:-1]
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        # The first and the last characters mix with what stands around the value: compare the part that is its own.
        inner = encoded[(0, 2, 3)[offset] : len(encoded) - 1]
        yield inner
        yield inner.translate(str.maketrans("+/", "-_"))


def redact(text: str) -> str:
    """`text` without the value of any living secret, in any encoding; whole lines in, whole lines out."""
    values = {form for secret in tuple(_living) for form in _encodings(secret.reveal()) if len(form) >= _SHORTEST}
    if not values:
        return text
    pattern = "|".join(re.escape(value) for value in sorted(values, key=len, reverse=True))
    return re.sub(pattern, MASK, text)
