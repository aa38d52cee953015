"""What a store makes of a description (sheet 5)."""

from __future__ import annotations

import re
from html import escape

MAXIMUM = 200

OPEN_TAG = re.compile(r"<[^>]*?((?=<)|>|\Z)")
SCRIPT = re.compile(r"<(script|style)[^>]*?>.*?</\1>", re.IGNORECASE | re.DOTALL)
TAG = re.compile(r"<[^>]*>")
WHITE_SPACE = re.compile(r"[\r\n\t ]+")
ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")


def normalise(text: str) -> str:
    """Tags stripped, white space collapsed, percent escapes dropped, and trimmed after all that.

    What becomes of a `<` that opens no tag is not in the sheet; WordPress turns it into `&lt;`, and so it is here.
    """
    if "<" in text:
        text = OPEN_TAG.sub(lambda match: match[0] if match[0].endswith(">") else escape(match[0]), text)
        text = TAG.sub("", SCRIPT.sub("", text))
    text = WHITE_SPACE.sub(" ", text)
    # Dropping an escape can put a new one together, so it goes on until there is none.
    while ESCAPE.search(text):
        text = ESCAPE.sub("", text)
    return re.sub(" +", " ", text).strip(" \t\n\r\0\x0b")
