"""The .txt file that a browser downloads with a new account (sheet bigcommerce.md 3.1).

Its layout is not published, so any is read in which a label comes with its value: behind `:`, `=` or a tab, as JSON, or on
the next line. The three values alone will do too, in the panel's order. Lines are told by number, never by what stands in
them.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from providers.core.errors import ConnectionsError
from providers.core.redaction import Secret

LARGEST: Final = 16 * 1024
"""Bytes of a file: three values have a few hundred."""

SHORTEST: Final = 8
"""Characters of a value at least; a shorter one was cut off."""

VALUES: Final[Mapping[str, str]] = {
    "client_id": "client ID",
    "client_secret": "client secret",
    "access_token": "access token",
}
"""What a file must hold, by our name and in the panel's words."""

_STORE, _TYPE, _NAME = "store", "type", "name"
_MEANINGS: Final[Mapping[str, str]] = {
    "clientid": "client_id",
    "xauthclient": "client_id",
    "clientsecret": "client_secret",
    "accesstoken": "access_token",
    "xauthtoken": "access_token",
    "apipath": _STORE,
    "apiurl": _STORE,
    "storehash": _STORE,
    "storehashkey": _STORE,
    "tokentype": _TYPE,
    "name": _NAME,
    "clientname": _NAME,
    "accountname": _NAME,
}
"""What labels mean, by their letters in lower case. A name may be like anything, so it is only passed over."""

_LABELLED: Final = re.compile(r"[\"']?([A-Za-z][A-Za-z _-]*?)[\"']?(?:\s*[:=]\s*|\t\s*|\Z)(.*)")
_ORNAMENT: Final = re.compile(r"[\s{}\[\](),;=_*#-]*")
_HEADING: Final = re.compile(r"[A-Za-z -]*(?:credentials?|account)", re.IGNORECASE)
_STENCIL: Final = re.compile(r"stencil", re.IGNORECASE)
_HASH: Final = re.compile(r"(?:.*/stores/)?(?:store-)?([A-Za-z0-9]+)(?:/.*)?")
_VALUE: Final = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Download:
    """What a file holds: the values by our names, the store hash of its API path ("" where it has none), and the numbers
    of the lines that were not understood."""

    values: Mapping[str, Secret]
    store_hash: str
    not_understood: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Entry:
    """One value, what it is, and the line it stands in."""

    meaning: str
    value: str = field(repr=False)
    line: int


def read(data: bytes, store_hash: str) -> Download:
    """The values in a file that was downloaded for the store of this hash.

    `ConnectionsError` in words where it is no such file, or one with a part of the values, with one of them twice, of
    another type of token or of another store. A bad line among good ones is no error.
    """
    text = _text(data)
    entries = _from_json(text)
    unknown: tuple[int, ...] = ()
    if not entries:
        found = tuple(_from_lines(text.splitlines()))
        entries = tuple(entry for entry in found if isinstance(entry, _Entry))
        unknown = tuple(number for number in found if isinstance(number, int))
        if not entries:
            entries, unknown = _values_alone(text.splitlines(), unknown)
    _check_type(entries)
    named = _check_store(entries, store_hash)
    return Download(_values(entries, unknown), named, unknown)


def _text(data: bytes) -> str:
    if len(data) > LARGEST:
        raise ConnectionsError(f"the file has more than {LARGEST} bytes", do="Give the downloaded file as it is")
    # An editor may have saved it anew with two bytes a letter.
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise ConnectionsError("the file is no text", do="Give the downloaded file as it is") from None


# --- reading ----------------------------------------------------------------------------------------------------------


def _from_json(text: str) -> tuple[_Entry, ...]:
    """The values of a whole JSON document, at any depth; none where it is none."""
    try:
        # Pairs instead of a dictionary, which would keep one of two values.
        document = json.loads(text, object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        return ()
    return tuple(
        _Entry(_meaning(name), value, 1 + text[: text.find(f'"{name}"')].count("\n"))
        for name, value in _pairs(document)
        if _meaning(name) and (_meaning(name) not in VALUES or _VALUE.fullmatch(value))
    )


def _pairs(document: Any) -> Iterator[tuple[str, str]]:
    for name, value in document if isinstance(document, tuple) else ():
        if isinstance(value, str):
            yield name, value.strip()
        else:
            yield from _pairs(value)


def _from_lines(lines: Sequence[str]) -> Iterator[_Entry | int]:
    """What the lines give, and the number of each that is not understood."""
    awaited = ""
    for number, line in enumerate((line.strip() for line in lines), 1):
        if _ORNAMENT.fullmatch(line):
            continue
        found = _LABELLED.fullmatch(line)
        meaning = _meaning(found[1]) if found else ""
        value = _unquoted(found[2] if found and meaning else line)
        if meaning and not value:
            awaited = meaning
            continue
        meaning, awaited = meaning or awaited or _bare(value), ""
        if meaning in VALUES and not _VALUE.fullmatch(value):
            yield number
        elif meaning:
            yield _Entry(meaning, value, number)
        elif not _HEADING.fullmatch(line):
            yield number


def _values_alone(lines: Sequence[str], unknown: tuple[int, ...]) -> tuple[tuple[_Entry, ...], tuple[int, ...]]:
    """Three lines of one word each are the values in the panel's order."""
    words = [lines[number - 1].strip() for number in unknown]
    if len(words) != len(VALUES) or not all(_VALUE.fullmatch(word) for word in words):
        return (), unknown
    named = zip(VALUES, words, unknown, strict=True)
    return tuple(_Entry(name, word, number) for name, word, number in named), ()


def _meaning(label: str) -> str:
    """What a label means, "" where nothing we know."""
    return _MEANINGS.get(re.sub(r"[^a-z]", "", label.lower()), "")


def _bare(line: str) -> str:
    """What a line without any label means."""
    if _STENCIL.search(line):
        return _TYPE
    return _STORE if "/stores/" in line else ""


def _unquoted(text: str) -> str:
    text = text.strip().removesuffix(",").rstrip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


# --- judging ----------------------------------------------------------------------------------------------------------


def _check_type(entries: Sequence[_Entry]) -> None:
    for entry in entries:
        if entry.meaning == _TYPE and _STENCIL.search(entry.value):
            raise ConnectionsError(
                f"line {entry.line} tells of a Stencil-CLI token, which serves themes alone",
                do="Delete that account and make one with the token type V2/V3 API token",
            )


def _check_store(entries: Sequence[_Entry], store_hash: str) -> str:
    """The store's hash in the file, "" where it has none."""
    places = [(match[1], entry.line) for entry in entries if entry.meaning == _STORE and (match := _hash(entry.value))]
    for named, line in places:
        if named == store_hash:
            continue
        if _distance(named.lower(), store_hash.lower()) <= _TYPO:
            raise ConnectionsError(
                f"the API path in line {line} has the store hash {named}, the declaration {store_hash}: one of them is"
                " mistyped",
                do="Compare with the API path in the control panel, and correct the declaration",
            )
        raise ConnectionsError(
            f"the file is of another store: {named}, not {store_hash} (line {line})",
            do="Give the file of this store's account",
        )
    return store_hash if places else ""


_TYPO: Final = 2
"""Slips of a key by which a hash may differ and still be meant: hashes of two stores differ by nearly all they have."""


def _hash(text: str) -> re.Match[str] | None:
    return _HASH.fullmatch(text)


def _distance(one: str, other: str) -> int:
    """How many letters must be put in, taken out, changed, or swapped with their neighbour to make one of the other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, wanted in enumerate(other, 1):
            steps = [before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted)]
            if i > 1 and j > 1 and (letter, one[i - 2]) == (other[j - 2], wanted):
                steps.append(last[j - 2] + 1)
            row.append(min(steps))
    return row[-1]


def _values(entries: Sequence[_Entry], unknown: Sequence[int]) -> dict[str, Secret]:
    """The three values, each once, whole and different from the others."""
    found: dict[str, _Entry] = {}
    for entry in entries:
        if entry.meaning not in VALUES:
            continue
        words = VALUES[entry.meaning]
        if entry.meaning in found:
            former = found[entry.meaning].line
            raise ConnectionsError(
                f"line {entry.line} gives a second {words}, after line {former}",
                do="Give the file of one account alone",
            )
        if any(entry.value == other.value for other in found.values()):
            raise ConnectionsError(f"line {entry.line} gives as {words} what another value is already", do=_WHOLE)
        if len(entry.value) < SHORTEST:
            raise ConnectionsError(f"the {words} in line {entry.line} is cut off", do=_WHOLE)
        found[entry.meaning] = entry
    missing = [words for name, words in VALUES.items() if name not in found]
    if missing:
        lines = ", ".join(map(str, unknown))
        not_understood = f"; not understood: line {lines}" if unknown else ""
        raise ConnectionsError(f"the file lacks the {' and the '.join(missing)}{not_understood}", do=_WHOLE)
    return {name: Secret(found[name].value) for name in VALUES}


_WHOLE: Final = "Give the downloaded file as it is; where it is lost, delete the account and make it once more"
