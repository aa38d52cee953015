"""Reads the one kind of YAML that declarations are written in: mappings, lists and texts, with the place of everything.

Every scalar is text, whatever it looks like: the models type it. What readers disagree about is refused in words
(declarations.md section 3). Works on the event stream of libyaml, since loaders resolve types, anchors and duplicate
keys silently.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from providers.declarations.names import shown

Path = tuple[str | int, ...]
"""Where a value stands: the words and list positions that lead to it from the top."""

LARGEST: Final = 256 * 1024
"""Bytes of one file: a store's file has a few thousand."""

DEEPEST: Final = 12
"""Mappings and lists inside each other; declarations need six."""

_HIDDEN = re.compile(
    "[^\n\r\\x20-\\x7e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"  # control characters, tabs, U+0085
    "|\r(?!\n)"
    "|[\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"  # invisible, or turning the reading direction
)
_LOST_TEXT = re.compile(r" +#(?=[^\s#])")
LOST: Final = "\0"
"""Stands in a path for a word that cannot be used: no word of a text holds this character."""
_NULL = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class Place:
    """A line and a column, both from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong at a place of a text; `path` is the value that cannot be used for it, if there is one;
    it ends in `LOST` for a word that could not be read."""

    place: Place
    what: str
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A text that was read: the value at its top, and where each value and each word of a mapping stands.

    `quoted` are the texts that stood in quotes or as a block. `root` consists of `dict`, `list` and `str` alone; it is
    empty where nothing could be read, and then `flaws` is not.
    """

    root: dict[str, Any]
    values: dict[Path, Place] = field(default_factory=dict)
    words: dict[Path, Place] = field(default_factory=dict)
    quoted: frozenset[Path] = frozenset()
    flaws: tuple[Flaw, ...] = ()

    def value_place(self, path: Path) -> Place:
        """Where the value at `path` stands, or the nearest value around it."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, Place(1, 1))

    def word_place(self, path: Path) -> Place:
        """Where the word that names the value at `path` stands; for a list's entry, the entry."""
        while path and path not in self.words:
            if path in self.values:
                return self.values[path]
            path = path[:-1]
        return self.words.get(path, Place(1, 1))


class _Stop(Exception):
    """Reading cannot go on after this flaw."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.what)
        self.flaw = flaw


def read(data: bytes) -> Source:
    """Read one file. Never raises: what is wrong stands in `flaws`, as many of them as can be told at once."""
    try:
        text = _text(data)
    except _Stop as stop:
        return Source({}, flaws=(stop.flaw,))
    reader = _Reader(text)
    try:
        root = reader.document()
    except _Stop as stop:
        return Source({}, flaws=(*reader.flaws, stop.flaw))
    except yaml.MarkedYAMLError as error:
        return Source({}, flaws=(*reader.flaws, _syntax(text, error)))
    return Source(root, reader.values, reader.words, frozenset(reader.quoted), tuple(reader.flaws))


def _text(data: bytes) -> str:
    """The characters of a file, if all are such that a reviewer sees what a reader sees."""
    top = Place(1, 1)
    if len(data) > LARGEST:
        raise _Stop(Flaw(top, f"the file has {len(data)} bytes; {LARGEST} are allowed"))
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise _Stop(Flaw(top, "the file begins with a byte order mark; save it as UTF-8 without one"))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        place = _place_in(data[: error.start].decode("utf-8"))
        raise _Stop(Flaw(place, "this is not UTF-8; save the file as UTF-8")) from None
    hidden = _HIDDEN.search(text)
    if hidden:
        place = _place_in(text[: hidden.start()])
        if hidden[0] == "\t":
            raise _Stop(Flaw(place, "a tab; use blanks"))
        raise _Stop(Flaw(place, f"an invisible or control character (U+{ord(hidden[0]):04X}); take it out"))
    return text


def _place_in(before: str) -> Place:
    """The place that follows a text."""
    return Place(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


_FIRST = {
    "*": "'*' begins an alias, which is refused; put a text that begins with it into quotes",
    "&": "'&' begins an anchor, which is refused; put a text that begins with it into quotes",
    "!": "'!' begins a tag, which is refused; put a text that begins with it into quotes",
    "%": "a text cannot begin with '%'; put it into quotes",
    "@": "a text cannot begin with '@'; put it into quotes",
    "`": "a text cannot begin with '`'; put it into quotes",
}
_PROBLEMS = {
    "mapping values are not allowed": "': ' cannot stand here; indent evenly, and put a text that holds it into quotes",
    "block sequence entries are not allowed": "'- ' cannot stand here; a list begins on a new line",
    "mapping keys are not allowed": "'?' cannot stand here; put a text that begins with it into quotes",
    "could not find expected ':'": "a word without ':'; write `word: value`",
    "did not find expected node content": "a value is missing before ',', ']' or '}'",
    "unexpected end of stream": "a quote is not closed",
    "did not find expected ',' or": "a bracket is not closed, or ',' is missing",
    "unknown escape character": "an unknown escape; in double quotes write \\\\ for a backslash, or use single quotes",
    "did not find expected key": "uneven indentation, or something after a closed quote or bracket",
    "did not find expected '-' indicator": "a list with something else in between; indent evenly",
    "did not find expected comment or line break": "text after '|' or '>'; begin it on a new line, or use quotes",
}


def _syntax(text: str, error: yaml.MarkedYAMLError) -> Flaw:
    """libyaml's refusal in our words."""
    mark = error.problem_mark
    opened = error.context_mark
    lines = text.splitlines()
    if opened is not None and opened.line < len(lines):
        first = _FIRST.get(lines[opened.line][opened.column : opened.column + 1])
        if first:
            return Flaw(Place(opened.line + 1, opened.column + 1), first)
    what = next((words for problem, words in _PROBLEMS.items() if problem in str(error.problem)), "this is not YAML")
    if opened is not None and ("not closed" in what):
        mark = opened
    return Flaw(Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1), what)


def _start(event: yaml.Event) -> Place:
    mark: Any = event.start_mark
    return Place(mark.line + 1, mark.column + 1)


class _Reader:
    """Builds the values of one document out of its events."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.events: Iterator[Any] = iter(yaml.parse(text, Loader=yaml.CSafeLoader))
        self.values: dict[Path, Place] = {}
        self.words: dict[Path, Place] = {}
        self.quoted: set[Path] = set()
        self.flaws: list[Flaw] = []

    def document(self) -> dict[str, Any]:
        next(self.events)
        event = next(self.events)
        if isinstance(event, yaml.StreamEndEvent):
            raise _Stop(Flaw(Place(1, 1), "the file is empty"))
        if event.version or event.tags:
            raise _Stop(Flaw(_start(event), "a '%' directive, which is refused; take the line out"))
        event = next(self.events)
        root = self._value(event, ())
        if not isinstance(root, dict):
            raise _Stop(Flaw(_start(event), f"{kind_of(root)}; a file holds `word: value` lines"))
        next(self.events)
        event = next(self.events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise _Stop(Flaw(_start(event), "a second document ('---'); one file holds one"))
        return root

    def _flaw(self, event: Any, what: str, path: Path | None) -> None:
        self.flaws.append(Flaw(_start(event), what, path))

    def _value(self, event: Any, path: Path) -> Any:
        """The value that begins with `event`; its place is put down under `path`."""
        self.values[path] = _start(event)
        if isinstance(event, yaml.AliasEvent):
            self._flaw(event, "an alias ('*'), which is refused; write the value out", path)
            return ""
        if event.anchor is not None:
            self._flaw(event, "an anchor ('&'), which is refused; take it out", path)
        if event.tag is not None:
            self._flaw(event, "a tag ('!'), which is refused; take it out", path)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if len(path) >= DEEPEST:
            raise _Stop(Flaw(_start(event), f"more than {DEEPEST} levels inside each other"))
        return self._mapping(path) if isinstance(event, yaml.MappingStartEvent) else self._list(path)

    def _scalar(self, event: Any, path: Path) -> str:
        plain = not event.style
        text: str = event.value
        hidden = _HIDDEN.search(text)
        if hidden:
            self._flaw(event, f"an escaped control character (U+{ord(hidden[0]):04X}); take it out", path)
        if text in (_NULL if plain else ("",)):
            self._flaw(event, "an empty value; write one, or take the line out", path)
        if plain:
            lost = _LOST_TEXT.match(self.text, event.end_mark.index)
            if lost:
                place = Place(event.end_mark.line + 1, event.end_mark.column + len(lost[0]))
                what = "text after ' #' is lost; put the value into quotes, or a blank after '#' for a comment"
                self.flaws.append(Flaw(place, what, path))
        else:
            self.quoted.add(path)
        return text

    def _list(self, path: Path) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*path, len(items))))
        return items

    def _mapping(self, path: Path) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        lower: dict[str, Place] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            word = self._word(event, path)
            place = _start(event)
            first = None if word is None else lower.get(word.lower())
            if first is not None:
                what = (
                    f"{shown(str(word))} stands twice, first in line {first.line} (upper and lower case are the same)"
                )
                self._flaw(event, what, None)
            if word is None or first is not None:
                self._value(next(self.events), (*path, LOST))
                continue
            lower[word.lower()] = place
            self.words[*path, word] = place
            mapping[word] = self._value(next(self.events), (*path, word))
        return mapping

    def _word(self, event: Any, path: Path) -> str | None:
        """The word before a ':', or None where it is none we accept; its flaw is then put down."""
        if not isinstance(event, yaml.ScalarEvent):
            self._flaw(event, f"{_CALLED[type(event)]} where a word is expected", (*path, LOST))
            depth = 0
            while True:
                depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
                if not depth:
                    return None
                event = next(self.events)
        if event.anchor is not None or event.tag is not None:
            self._flaw(event, "an anchor or a tag at a word, which is refused; take it out", None)
        if event.value == "<<" and not event.style:
            self._flaw(event, "a merge ('<<'), which is refused; write the values out", (*path, LOST))
            return None
        if not event.value or _HIDDEN.search(event.value):
            self._flaw(event, "an empty word, or an escaped control character in a word", (*path, LOST))
            return None
        word: str = event.value
        return word


_CALLED = {yaml.AliasEvent: "an alias ('*')", yaml.MappingStartEvent: "a mapping", yaml.SequenceStartEvent: "a list"}


def kind_of(value: object) -> str:
    """What a value is, in a message's words."""
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else "a text"
