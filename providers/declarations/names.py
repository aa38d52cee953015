"""Names: the one rule for stores, connections, links, teams and stacks, and what to say when a word is not known.

A name is the identity of what it names, in commands, Vault, Pulumi ids, markers and reports (declarations.md 3).
"""

import difflib
import re
from collections.abc import Iterable
from typing import Final

NAME: Final = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
"""What a name looks like, as a regular expression without anchors."""

LONGEST_NAME: Final = 30

REFUSED: Final = frozenset({"false", "n", "nan", "no", "none", "null", "off", "on", "true", "undefined", "y", "yes"})
"""Words that some YAML reader, shell or tool takes for something else than a name."""

_SHOWN = 60
_LONG_TOKEN = re.compile(r"([^\s/:@.]{4})[^\s/:@.]{28,}")


def flaw(name: str) -> str | None:
    """Why `name` cannot be a name, in words, or None."""
    if name.lower() in REFUSED:
        return f"{shown(name)} cannot be a name: other readers take it for a value"
    if len(name) > LONGEST_NAME:
        return f"a name has {LONGEST_NAME} characters at most, {shown(name)} has {len(name)}"
    if not re.fullmatch(NAME, name):
        if name.startswith("_"):
            return f"{shown(name)} cannot be a name: a leading '_' is kept for settings"
        return f"{shown(name)} cannot be a name: a letter a-z first, then lower-case letters, digits and single hyphens"
    return None


def proposed(text: str) -> str:
    """A valid name made of any text: what stands in it as letters and digits, or `store` where nothing is left."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    while words and not words[0][0].isalpha():
        words.pop(0)
    name = "-".join(words)[:LONGEST_NAME].rstrip("-")
    if not name:
        return "store"
    return name if flaw(name) is None else f"{name}-1"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, if any is like it at all."""
    by_lower = {candidate.lower(): candidate for candidate in sorted(known)}
    found = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; nearest: x` for the known word most like `word`, else an empty text."""
    found = nearest(word, known)
    return f"; nearest: {found}" if found else ""


def listed(words: Iterable[str]) -> str:
    """Words as a sentence lists them, sorted."""
    return ", ".join(sorted(words)) or "none"


def shown(text: str) -> str:
    """Found text as a message may show it: quoted, printable, cut, and nothing that may be a secret."""
    text = _LONG_TOKEN.sub(r"\1…", text)
    if len(text) > _SHOWN:
        text = f"{text[:_SHOWN]}…"
    return "'" + "".join(character if character.isprintable() else "�" for character in text) + "'"
