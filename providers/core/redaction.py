"""Secrets that cannot print, and the last filter before every sink.

A `Secret` shows nothing in `str`, `repr`, format strings, JSON, pickles or comparisons of its text. While it lives it is
known to `redact`, which removes its value from any text in the encodings text travels in; once the call that needed it is
over and the object is gone, the filter has forgotten it (design.md section 8, vault.md 7.3).

The filter stands before every sink: `RedactingFormatter` for logs, `RedactedStream` for standard output and error,
`quiet_excepthook` for what nobody caught.
"""

import base64
import hmac
import html
import io
import json
import logging
import re
import sys
import threading
import traceback
import urllib.parse
import weakref
from collections.abc import Iterator
from types import TracebackType
from typing import NoReturn, TextIO

from providers.core.errors import ConnectionsError

MASK = "***"
_SHORTEST = 4
"""Values shorter than this are not searched for: they would blank out ordinary words."""

_living: "weakref.WeakKeyDictionary[Secret, tuple[str, ...]]" = weakref.WeakKeyDictionary()
"""Every living secret, and the forms it is searched for in (empty until the first search)."""


class Secret:
    """A text that must not be shown. `reveal` is the only way to it."""

    __slots__ = ("__weakref__", "_value")

    def __init__(self, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError("a secret is a text")
        self._value = value
        _living[self] = ()

    def reveal(self) -> str:
        """The text itself: only for the one call that sends or stores it."""
        return self._value

    def tail(self, length: int) -> str:
        """The last characters, as stores show them beside a key; "" where that would be the whole secret."""
        return self._value[-length:] if 0 < length < len(self._value) else ""

    def same(self, other: "Secret") -> bool:
        """Whether both hold the same text, in constant time."""
        return hmac.compare_digest(_bytes(self._value), _bytes(other._value))

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is never pickled")


class Public(Secret):
    """What travels beside secrets and is none, such as a store's address: the filter does not look for it."""

    __slots__ = ()

    def __init__(self, value: str) -> None:
        self._value = value


def _bytes(value: str) -> bytes:
    # Texts from the environment may hold lone surrogates; an error about them would print the text.
    return value.encode("utf-8", "surrogatepass")


def _forms(value: str) -> tuple[str, ...]:
    """What to search for, longest first. Lines are looked at one by one, so a value of several is searched by line."""
    forms = {form for part in {value, *value.splitlines()} for form in _encodings(part)}
    return tuple(sorted((form for form in forms if len(form) >= _SHORTEST), key=len, reverse=True))


def _encodings(value: str) -> Iterator[str]:
    """The value as text carries it: raw, escaped for URLs, JSON, HTML and Python, and base64 at all three offsets."""
    raw = _bytes(value)
    yield value
    for escaped in (urllib.parse.quote(raw, safe=""), urllib.parse.quote_plus(raw), urllib.parse.quote(raw)):
        yield escaped
        yield re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), escaped)
    for pure in (True, False):
        escaped = json.dumps(value, ensure_ascii=pure)[1:-1]
        yield escaped
        yield escaped.replace("/", "\\/")  # as PHP writes JSON
    yield html.escape(value, quote=False)
    yield html.escape(value)
    yield html.escape(value).replace("&#x27;", "&#039;")  # as PHP writes HTML
    yield repr(value)[1:-1]
    yield repr(raw)[2:-1]
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode()
        # A character stands for six bits: those at the edges mix with what stands around, the others are the value's own.
        own = encoded[-(-8 * offset // 6) : 8 * (offset + len(raw)) // 6]
        yield own
        yield own.translate(str.maketrans("+/", "-_"))


def _searched() -> Iterator[str]:
    # Threads make and drop secrets meanwhile: the list of references is taken in one step, none of it need be alive.
    for secret in filter(None, [reference() for reference in _living.keyrefs()]):
        forms = _living.get(secret)
        if not forms:
            forms = _living[secret] = _forms(secret.reveal())
        yield from forms


def redact(text: str) -> str:
    """`text` without the value of any living secret, in any encoding; whole lines in, whole lines out.

    Everything is searched for in the text as it came, so that of two values that overlap neither is left in part.
    """
    found: list[tuple[int, int]] = []
    for form in _searched():
        start = text.find(form)
        while start >= 0:
            found.append((start, start + len(form)))
            start = text.find(form, start + 1)
    if not found:
        return text
    kept: list[str] = []
    end = 0
    for start, stop in sorted(found):
        if start >= end:
            kept += (text[end:start], MASK)
        end = max(end, stop)
    return "".join([*kept, text[end:]])


class RedactingFormatter(logging.Formatter):
    """Formats a record and redacts the whole of it; an exception becomes its one line, without a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        # A formatter elsewhere may have left its traceback in the record.
        record.exc_text = None
        return redact(super().format(record))

    def formatException(self, ei: "logging._SysExcInfoType") -> str:
        return in_one_line(ei[1])

    def formatStack(self, stack_info: str) -> str:
        return ""


class RedactedStream(io.TextIOBase):
    """A text stream over another one that redacts whole lines.

    What is written waits until its line is complete; `close` writes the rest and leaves the other stream open. There is no
    way round it: no file number and no bytes beneath.
    """

    encoding = "utf-8"
    """What Python gives standard streams wherever the locale does not insist on something else."""

    def __init__(self, sink: TextIO) -> None:
        self._sink = sink
        self._waiting = ""
        self._lock = threading.RLock()

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._sink.isatty()

    def write(self, text: str, /) -> int:
        with self._lock:
            whole, newline, rest = text.rpartition("\n")
            if newline:
                self._sink.write(redact(self._waiting + whole + newline))
                self._waiting = ""
            self._waiting += rest
        return len(text)

    def flush(self) -> None:
        """Pass on what is complete; an unfinished line goes on waiting."""
        self._sink.flush()

    def close(self) -> None:
        with self._lock:
            if not self.closed:
                self._sink.write(redact(self._waiting))
                self._waiting = ""
                self._sink.flush()
        super().close()


def in_one_line(error: BaseException | None) -> str:
    """An error for people: our own as they say it; of any other the kind and the place, as its words may hold anything."""
    if isinstance(error, ConnectionsError):
        return redact(" ".join(str(error).split()))
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    frames = traceback.extract_tb(error.__traceback__) if error is not None else []
    place = f" in {frames[-1].name}, line {frames[-1].lineno}" if frames else ""
    return f"internal error: {type(error).__name__}{place}"


def quiet_excepthook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """For `sys.excepthook`: one short line on standard error, and no traceback, whose locals and words may hold secrets."""
    sys.stderr.write(f"{in_one_line(error)}\n")
