"""The description of a key at its store: the declared purpose and our marker, as the store will keep them.

Stores rewrite descriptions (sheet woocommerce.md 5): what is sent is what they would keep, or nothing ever settles.
"""

import re

from providers.core import marker
from providers.core.errors import Rejected

LONGEST = 200
"""Counted in bytes: whether stores count bytes or characters is unknown, and over it some make a key that does not
exist (sheet 6, L1)."""

_TAG = re.compile(r"<[^<>]*>")
_SPACE = re.compile(r"[ \t\r\n]+")
_ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")


def normalise(text: str) -> str:
    """`text` as a store keeps it: no tags, no percent escapes, single blanks, none at the ends."""
    text = _SPACE.sub(" ", _TAG.sub("", text)).strip(" ")
    while (shorter := _ESCAPE.sub("", text)) != text:
        text = shorter
    return _SPACE.sub(" ", text).strip(" ")


def label(purpose: str, mark: str) -> str:
    """The whole description for a purpose and a marker; `Rejected` where the store would not keep it as it is."""
    purpose = normalise(purpose)
    whole = f"{purpose} {mark}".strip(" ")
    if "<" in whole or ">" in whole:
        raise Rejected("the purpose holds < or >, which stores rewrite", do="Say it without angle brackets.")
    if normalise(whole) != whole or marker.strip(whole) != purpose:
        raise Rejected("the purpose reads like a marker of ours or holds unusual blanks", do="Say it in plain words.")
    if (length := len(whole.encode())) > LONGEST:
        raise Rejected(
            f"the purpose is too long: with our marker {length} bytes, and a store keeps {LONGEST}",
            do=f"Shorten it by {length - LONGEST}.",
        )
    return whole
