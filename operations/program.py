"""The command's outer shell: global words, streams, the last boundary and the exit code."""

import importlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from typer.exceptions import TyperException

from operations.application import app
from operations.screen import Screen
from operations.session import Session
from providers.core.errors import ConnectionsError
from providers.core.redaction import in_one_line
from providers.declarations import DeclarationErrors

if TYPE_CHECKING:
    from providers.core.toolbox import Toolbox

_LONG: Final = re.compile(r"[^\s'()]{32,}")
"""What may be a secret that was typed as an argument: no name or option of ours is so long."""


_GONE: Final = (BrokenPipeError, SystemExit)
"""How a write to a pipe that nobody reads any more ends: the second is what rich makes of the first."""

INTERRUPTED: Final = 130
"""The exit code of a command that was interrupted, as shells have it."""


@dataclass(frozen=True, slots=True)
class Globals:
    """The words that may stand anywhere on the command line."""

    stack: str = ""
    as_json: bool = False
    quiet: bool = False


def taken(arguments: Sequence[str]) -> tuple[Globals, list[str]]:
    """The global words out of the arguments, wherever they stand before a `--`, and what is left.

    Raises `ConnectionsError` for a `--stack` without a name.
    """
    stack, as_json, quiet = "", False, False
    left: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            left += [word, *words]
        elif word == "--stack" or word.startswith("--stack="):
            stack = word.partition("=")[2] if "=" in word else next(words, "")
            if not stack:
                raise ConnectionsError("--stack needs a name")
        elif word == "--json":
            as_json = True
        elif word in {"--quiet", "-q"}:
            quiet = True
        else:
            left.append(word)
    return Globals(stack, as_json, quiet), left


def real_toolbox() -> "Toolbox":
    """The toolbox that the environment describes."""
    made: Toolbox = importlib.import_module("providers.core.toolbox").Toolbox()
    return made


def run(arguments: Sequence[str], *, make_toolbox: "Callable[[], Toolbox]" = real_toolbox) -> int:
    """Carry out one call of the command in the present folder; the exit code. Prints no traceback, whatever happens."""
    screen = Screen()
    try:
        code = _guarded(screen, arguments, make_toolbox)
        screen.close()
    except _GONE:
        # Whoever read has gone: what Python would flush in the end goes nowhere, and says nothing of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    return code


def _guarded(screen: Screen, arguments: Sequence[str], make_toolbox: "Callable[[], Toolbox]") -> int:
    try:
        words, left = taken(arguments)
        screen.as_json, screen.quiet = words.as_json, words.quiet
        return _carried_out(Session(Path.cwd(), screen, words.stack, make_toolbox), left or ["--help"])
    except DeclarationErrors as error:
        for problem in error.problems[:-1]:
            screen.fail(str(problem))
        return _fail(screen, str(error.problems[-1]), error.exit_code)
    except ConnectionsError as error:
        return _fail(screen, in_one_line(error), error.exit_code)
    except TyperException as error:
        # Not the usual 2 of usage errors: here that says that drift was found.
        return _fail(screen, _LONG.sub("***", error.format_message()), 1)
    except _GONE:
        raise
    except BaseException as error:  # noqa: BLE001 - the last boundary: whatever it is, it must not print what it holds
        return _fail(screen, in_one_line(error), 1)


def _carried_out(session: Session, arguments: Sequence[str]) -> int:
    try:
        result = app(list(arguments), standalone_mode=False, obj=session, prog_name="connections")
        if result == INTERRUPTED:
            return _fail(session.screen, "interrupted. Run again: it goes on where it was", INTERRUPTED)
        if isinstance(result, int):
            return result
        session.screen.show(result)
        code: int = result.exit_code
        return code
    finally:
        session.close()


def _fail(screen: Screen, line: str, code: int) -> int:
    screen.fail(line)
    if screen.as_json:
        screen.document({"error": line, "exit_code": code})
    return code
