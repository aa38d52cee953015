"""Looks for secrets where none may be (invariant I10): in files and texts, in every form in which text carries them.

`scan` never says a secret, only which kind of form was found where.
"""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PIECE = 8
"""Characters of the random part of a key that are a leak already. Stores show the last 7 of a consumer key."""

_RANDOM = re.compile(r"(?:ck|cs)_([0-9a-f]{40})")
_DIGESTS = re.compile(r"hmac-sha256:[0-9a-f]{64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Keyed digests of Vault's audit log and request numbers: random, so that pieces would be found by chance. Secrets with the
form of the latter are looked for before these are taken out."""


@dataclass(frozen=True, slots=True)
class Leak:
    """One find: where, and in which form; the number tells secrets apart without naming them."""

    place: str
    form: str
    secret: int


def forms(secret: str) -> Iterator[tuple[str, str]]:
    """Every form that is searched for, with its name."""
    raw = secret.encode()
    yield "raw", secret
    yield "URL-encoded", urllib.parse.quote(secret, safe="")
    yield "URL-encoded", urllib.parse.quote_plus(secret)
    yield "JSON-escaped", json.dumps(secret)[1:-1]
    yield "JSON-escaped", json.dumps(secret)[1:-1].replace("/", "\\/")
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode()
        # Only characters that are made of the secret's own bits alone.
        own = encoded[-(-8 * offset // 6) : 8 * (offset + len(raw)) // 6]
        yield f"base64 at offset {offset}", own
        yield f"base64 at offset {offset}", own.translate(str.maketrans("+/", "-_"))


def pieces(secret: str) -> Iterator[str]:
    """Every piece of the random part of a consumer key or secret."""
    found = _RANDOM.fullmatch(secret)
    digits = found[1] if found else ""
    for start in range(len(digits) - PIECE + 1):
        yield digits[start : start + PIECE]


_HEX_RUNS = re.compile(rf"[0-9a-f]{{{PIECE},}}")


class Needles:
    """All forms of all secrets."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._forms: dict[str, tuple[str, int]] = {}
        self._pieces: dict[str, int] = {}
        for number, secret in enumerate(sorted(secrets)):
            if len(secret) < PIECE:
                raise ValueError("a secret as short as that cannot be looked for")
            self._forms |= {text: (form, number) for form, text in forms(secret)}
            self._pieces |= dict.fromkeys(pieces(secret), number)

    def find(self, place: str, text: str) -> set[Leak]:
        """Everything found in a text."""
        found = {Leak(place, form, number) for needle, (form, number) in self._forms.items() if needle in text}
        for run in _HEX_RUNS.findall(_DIGESTS.sub(" ", text)):
            windows = {run[start : start + PIECE] for start in range(len(run) - PIECE + 1)}
            found |= {Leak(place, "piece", self._pieces[window]) for window in windows & self._pieces.keys()}
        return found


def scan(paths: Iterable[Path], secrets: Iterable[str], texts: Mapping[str, str] | None = None) -> list[Leak]:
    """Every leak in these files, in all files of these folders, in their names, and in these texts."""
    needles = Needles(secrets)
    found: set[Leak] = set()
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            found |= needles.find(f"name of {file.name}", str(file))
            if file.is_file():
                found |= needles.find(file.name, file.read_bytes().decode("latin-1"))
    for place, text in (texts or {}).items():
        found |= needles.find(place, text)
    return sorted(found, key=lambda leak: (leak.place, leak.form, leak.secret))
