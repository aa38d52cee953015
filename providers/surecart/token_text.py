"""What a secret token looks like, before anybody calls with it: the cloud gets it raw in a header, and a plugin that is
given a bad one drops the good one (sheet surecart.md 0 and 4)."""

import re
from collections.abc import Mapping
from typing import Final

from providers.core.errors import ConnectionsError
from providers.core.redaction import Secret

FIELD: Final = "token"
"""The name of the value in Vault."""

LARGEST: Final = 1024
"""Characters of a token at most; real ones have a few dozen."""
SHORTEST: Final = 8
"""Characters at least; a shorter one was cut off."""
PUBLIC: Final = "pt_"
"""What the keys begin with that stand in the pages of a shop (sheet 1.1)."""

_FLAWS: Final = (
    (re.compile(r"\Z"), "it is empty"),
    (re.compile(r"\s|.*\s\Z", re.DOTALL), "a blank or a line break stands before or behind it"),
    (re.compile(r".*\s", re.DOTALL), "a blank or a line break stands in it"),
    (re.compile(r".*[^!-~]", re.DOTALL), "a character stands in it that no token has"),
    (
        re.compile(re.escape(PUBLIC)),
        f"it begins with {PUBLIC}: that is the public token, which only serves a shop's pages",
    ),
    (re.compile(rf".{{0,{SHORTEST - 1}}}\Z"), "it is cut off"),
    (re.compile(rf".{{{LARGEST + 1}}}"), f"it has more than {LARGEST} characters"),
)
"""What is wrong with a text, looked for in this order."""

_COPY: Final = "Copy the secret token whole (API > Secret Token), on one line, and nothing else"


def flaw(text: str) -> str:
    """What is wrong with a text as a secret token, in words without any of it; "" where nothing is."""
    return next((words for pattern, words in _FLAWS if pattern.match(text)), "")


def read(data: bytes) -> Mapping[str, Secret]:
    """The token in what a person gave: one line, as it is or behind `token=`. `ConnectionsError` in words where it is none.

    Only the end of the line may follow it, which a file or a pipe adds.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConnectionsError("what was given is no text", do=_COPY) from None
    line = text.removesuffix("\n").removesuffix("\r").removeprefix(f"{FIELD}=")
    wrong = flaw(line)
    if wrong:
        raise ConnectionsError(f"this is no secret token of SureCart: {wrong}", do=_COPY)
    return {FIELD: Secret(line)}
