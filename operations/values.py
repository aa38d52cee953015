"""Reading the values of a key that a person made: never from arguments, never with an echo, never without a bound.

Errors name the line, never what stands in it.
"""

import re
import sys
import termios
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from providers.core.errors import ConnectionsError
from providers.core.redaction import Secret

LARGEST: Final = 16 * 1024
"""Bytes of all values: a pair of keys has a hundred."""

_NAMED = re.compile(r"\s*[\"']?([A-Za-z][A-Za-z _-]*?)[\"']?\s*[:=]\s*(.*)", re.DOTALL)


def read_values(
    fields: Sequence[str], file: Path | None, parse: Callable[[bytes], Mapping[str, Secret]] | None = None
) -> Mapping[str, Secret]:
    """The value of every field, from a file, or from standard input: asked for on a terminal, read whole from a pipe.

    `parse` reads a text in the vendor's own form; without it, lines of ours are read.
    """
    read = parse or (lambda data: parsed(data, fields))
    if file is not None:
        return read(_bounded_file(file))
    if sys.stdin.isatty():
        return read("\n".join(f"{name}={_asked(name)}" for name in fields).encode())
    return read(sys.stdin.buffer.read(LARGEST + 1))


def delete_file(file: Path, name: str) -> str:
    """Delete a file whose values are in Vault; what is left to do where that fails, in words, with the `name` it was given
    by. Empty where nothing is."""
    try:
        file.unlink()
    except OSError:
        return f"{name} could not be deleted: delete it yourself, secrets stand in it."
    return ""


def check_deletable(file: Path, name: str) -> None:
    """That deleting a file deletes what stands in it, before anything is read: a link would leave it, a pipe has none."""
    if file.is_symlink() or not file.is_file():
        raise ConnectionsError(
            f"{name} is no file that could be deleted", do="Name the file itself, or leave --delete out"
        )


def _bounded_file(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(LARGEST + 1)
    except OSError:
        raise ConnectionsError(f"the file {file} cannot be read", do="Check its name and its rights") from None


# --- a text ---


def parsed(data: bytes, fields: Sequence[str]) -> dict[str, Secret]:
    """Values as `name=value` or `name: value`, or bare, one a line, in the order of the fields."""
    if len(data) > LARGEST:
        raise ConnectionsError(f"more than {LARGEST} bytes were given", do="Give the values alone")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConnectionsError("what was given is no text", do="Give the values alone, as text") from None
    named: dict[str, str] = {}
    bare: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        name, value = _split(line, fields)
        if not value or re.search(r"\s", value) or not value.isprintable():
            raise _not_understood(number, fields)
        if not name:
            bare.append((number, value))
        elif name in named:
            raise ConnectionsError(f"line {number} gives {name} a second time", do="Give each value once")
        else:
            named[name] = value
    if bare and (named or len(bare) != len(fields)):
        raise _not_understood(bare[0][0], fields)
    named.update(zip(fields, (value for _, value in bare), strict=False))
    missing = [name for name in fields if name not in named]
    if missing:
        raise ConnectionsError(f"{' and '.join(missing)} was not given", do=_form(fields))
    return {name: Secret(named[name]) for name in fields}


def _split(line: str, fields: Sequence[str]) -> tuple[str, str]:
    """The field that a line names, or an empty text, and its value."""
    found = _NAMED.fullmatch(line)
    if found:
        name = re.sub(r"[ -]+", "_", found[1].strip()).lower()
        if name in fields:
            return name, _unquoted(found[2])
    return "", _unquoted(line)


def _unquoted(text: str) -> str:
    text = text.strip().removesuffix(",")
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _not_understood(number: int, fields: Sequence[str]) -> ConnectionsError:
    return ConnectionsError(f"line {number} is not understood", do=_form(fields))


def _form(fields: Sequence[str]) -> str:
    lines = ", ".join(f"{name}=..." for name in fields)
    return f"Give {lines}, each on a line of its own; or only the values, in this order"


# --- a terminal ---


def _asked(name: str) -> str:
    """One value typed or pasted without an echo, maybe with its own name before it; refused where the echo cannot be
    switched off."""
    with _no_echo(sys.stdin.fileno()):
        sys.stderr.write(f"{name} (not shown): ")
        sys.stderr.flush()
        line = sys.stdin.readline(LARGEST)
        sys.stderr.write("\n")
    return _split(line, [name])[1]


@contextmanager
def _no_echo(descriptor: int) -> Iterator[None]:
    try:
        before = termios.tcgetattr(descriptor)
        silent = [*before]
        silent[3] = int(before[3]) & ~termios.ECHO
        # Flushing too: what was typed before the question is no answer to it.
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, silent)
        switched_off = not int(termios.tcgetattr(descriptor)[3]) & termios.ECHO
    except termios.error:
        switched_off = False
    if not switched_off:
        raise ConnectionsError(
            "the echo of this terminal cannot be switched off", do="Give the values by a pipe, or with --file"
        )
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)
