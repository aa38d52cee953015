"""Writes declarations as a person would: new stores, stores like another, connections that adopt a key. Texts only."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from providers.core.errors import DeclarationError
from providers.declarations.names import REFUSED
from providers.declarations.platforms import DeclaredPlatform
from providers.declarations.yaml_text import Path, Source, read

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./@+-]*(:[A-Za-z0-9/_][A-Za-z0-9_./@+-]*)*|[1-9][0-9]{0,4}[smhd]")
_PLAIN_WORDS = re.compile(r"[A-Za-z][A-Za-z0-9_./@+,;()' -]*[A-Za-z0-9_./)]")
"""What may stand without quotes, everywhere and on a line of its own, and is a text to every reader."""

_NOT_COPIED: Final[Mapping[int, frozenset[str]]] = {
    0: frozenset({"title", "was", "moved_from"}),
    2: frozenset({"adopt", "freeze", "rotate", "was"}),
    4: frozenset({"was"}),
}
"""Words that speak of one store's past, by their depth: at the store, at a connection, at a link."""


class _Plain(str):
    """A text that stood without quotes in a file: copied so, it means to every reader what it meant."""

    __slots__ = ()


def new_store_text(
    platform: DeclaredPlatform,
    address: str,
    connections: Mapping[str, Mapping[str, Any]],
    **words: Any,
) -> str:
    """The text of a new store's file.

    `address` is the value of the platform's identity (`url`, ...); `words` are further words of the store, `team` among
    them, in the order they are to stand in; values are texts, booleans, lists and mappings, and None leaves a word out.
    """
    head = {"platform": platform.name, platform.identity: address, **words}
    return _text({**head, "connections": {name: _links_last(entry) for name, entry in connections.items()}})


def like_store_text(text: str, platform: DeclaredPlatform, address: str, **words: Any) -> str:
    """The text of a new store's file with the connections of another's `text`; comments are not copied.

    What speaks of the other store's past (`adopt`, `rotate`, `was`, ...) stays behind. `DeclarationError` where `text`
    cannot be read, or is a store of another platform.
    """
    source = read(text.encode())
    if source.flaws:
        raise DeclarationError(f"the store to copy cannot be read: {source.flaws[0].what}")
    if source.root.get("platform") != platform.name:
        raise DeclarationError(f"the store to copy is no {platform.name} store")
    copied = _copied(source, source.root, ())
    head = {"platform": platform.name, platform.identity: address, **words}
    rest = {word: value for word, value in copied.items() if word not in {*head, "connections"}}
    return _text({**head, **rest, "connections": copied.get("connections", {})})


def connection_text(name: str, words: Mapping[str, Any], *, note: str = "") -> str:
    """A connection to put under `connections:`; `note` is a comment above it."""
    lines = [f"  # {' '.join(_printable(note).split())}"] if note else []
    return "\n".join([*lines, *_lines({name: _links_last(words)}, 1)]) + "\n"


def adoption_text(name: str, words: Mapping[str, Any], entry: str, *, note: str = "") -> str:
    """A connection that takes over the hand-made key under `entry`, as `words` were found at the store."""
    return connection_text(name, {**words, "adopt": entry, "links": words.get("links", {"vault": {}})}, note=note)


def scalar(value: object, *, within: bool = False) -> str:
    """A value as YAML writes it; `within` braces or brackets."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if not isinstance(value, _Plain) or re.search(r"[,#\[\]{}]", text):
        plain = _PLAIN.fullmatch(text) or (not within and _PLAIN_WORDS.fullmatch(text) and "  " not in text)
        if not plain or text.lower() in REFUSED:
            return json.dumps(text, ensure_ascii=False)
    return text


def _text(words: Mapping[str, Any]) -> str:
    return "\n".join(_lines(words, 0)) + "\n"


def _links_last(words: Mapping[str, Any]) -> dict[str, Any]:
    rest = {word: value for word, value in words.items() if word != "links"}
    return {**rest, "links": words["links"]} if "links" in words else rest


def _lines(words: Mapping[str, Any], depth: int) -> Iterator[str]:
    """A mapping in lines; links and lists stand in one line."""
    for word, value in words.items():
        if value is None:
            continue
        start = f"{'  ' * depth}{word}:"
        if isinstance(value, Mapping) and value and word != "links":
            yield start
            yield from _lines(value, depth + 1)
        else:
            yield f"{start} {_within(value) if isinstance(value, Mapping | list | tuple) else scalar(value)}"


def _within(value: Any) -> str:
    """A value between braces or brackets."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{word}: {_within(inner)}" for word, inner in value.items() if inner is not None) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_within(entry) for entry in value) + "]"
    return scalar(value, within=True)


def _copied(source: Source, value: Any, path: Path) -> Any:
    """A value of a file, without the words that are not copied."""
    if isinstance(value, dict):
        dropped = _NOT_COPIED.get(len(path), frozenset())
        return {word: _copied(source, inner, (*path, word)) for word, inner in value.items() if word not in dropped}
    if isinstance(value, list):
        return [_copied(source, entry, (*path, index)) for index, entry in enumerate(value)]
    return value if path in source.quoted else _Plain(value)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
