"""What reaches the two streams: texts as texts, progress where it takes long, no colour as the only meaning."""

from __future__ import annotations

import contextlib
import io
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from operations import screen
from operations.results import Said, Table, counted, document, together, words
from operations.screen import Screen, plain
from operations.session import Session
from providers.core.redaction import Secret
from tests.operations.conftest import Terminal


@dataclass(frozen=True)
class Inner:
    at: datetime
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shown:
    inner: Inner
    mapping: dict[Any, Any] = field(default_factory=dict)
    nothing: None = None
    exit_code: int = 0

    def shown(self) -> list[Table | str]:
        rows = (("[bold]a[/]", "live"), ("b\x1b[2J\u202e", "strange"))
        return ["[red]a line", Table(("name", "state"), rows, "A title")]


MOMENT = datetime(2026, 1, 2, tzinfo=UTC)


def test_values_as_documents() -> None:
    value = Shown(Inner(MOMENT, ("a", "b")), {1: [date(2026, 1, 2)]})
    assert document(value) == {
        "inner": {"at": "2026-01-02T00:00:00+00:00", "names": ["a", "b"]},
        "mapping": {"1": ["2026-01-02"]},
        "nothing": None,
        "exit_code": 0,
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ("", "-"),
        ("a", "a"),
        (True, "yes"),
        (False, "no"),
        (7, "7"),
        ({}, "-"),
        ({"a": {"b": 1}}, "a: b: 1"),
        ([], "-"),
        (("a", "b"), "a, b"),
        (date(2026, 1, 2), "2026-01-02"),
    ],
)
def test_values_as_cells(value: object, text: str) -> None:
    assert words(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"Content": "read-only", "Orders": "modify", "Products": "modify"}, "2 modify, 1 read-only"),
        ({"Content": "read-only", "Orders": "modify"}, "1 read-only, 1 modify"),
        ({}, "-"),
        ("read_write", "read_write"),
        (None, "-"),
    ],
)
def test_rows_of_rights_are_counted_in_a_cell(value: object, text: str) -> None:
    assert counted(value) == text


def test_what_holds_for_many_is_said_once() -> None:
    said = [("a/b", "Vault is down"), ("a/c", "Vault is down"), ("a/d", "a/d/link is to be unlinked")]
    assert list(together(said)) == ["a/b, a/c: Vault is down", "a/d/link is to be unlinked"]


def test_texts_are_plain() -> None:
    assert plain(" a\n\tb\x1b\x9b\u202ec ") == "a b���c"
    assert plain("x" * 500) == "x" * 400 + "…"


@contextlib.contextmanager
def streams(kind: type[io.StringIO] = Terminal) -> Iterator[tuple[io.StringIO, io.StringIO]]:
    """Two streams in place of the standard ones."""
    out, err = kind(), kind()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        yield out, err


@pytest.fixture(autouse=True)
def _a_terminal_that_can_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


def without_colour(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


def test_colour_adds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    for no_colour in ("", "1"):
        monkeypatch.setenv("NO_COLOR", no_colour)
        with streams() as (out, _):
            shown = Screen()
            shown.show(Shown(Inner(MOMENT)))
            shown.close()
        seen.append(out.getvalue())
    assert "\x1b[32mlive" in seen[0]
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", seen[1])
    assert without_colour(seen[0]) == without_colour(seen[1])
    assert "[red]a line" in seen[1]
    assert "[bold]a[/]" in seen[1]
    assert "b�[2J�" in seen[1]


def test_elsewhere_a_row_is_a_line() -> None:
    class Wide:
        exit_code = 0

        def shown(self) -> list[Table]:
            return [Table(("a", "b"), (("x" * 300, "y" * 300),))]

    with streams(io.StringIO) as (out, _):
        shown = Screen()
        shown.show(Wide())
        shown.close()
    assert "\x1b" not in out.getvalue()
    assert any("x" * 300 in line and "y" * 300 in line for line in out.getvalue().splitlines())


def test_nothing_of_a_secret_leaves() -> None:
    secret = Secret("canary-of-the-screen")
    with streams() as (out, err):
        shown = Screen()
        shown.show(Said((f"a {secret.reveal()}",)))
        shown.document({"a": secret.reveal()})
        shown.say(secret.reveal())
        with shown.progress("working", 1) as running:
            running.begin()
            shown.say(f"bar {secret.reveal()}")
        shown.close()
    everything = out.getvalue() + err.getvalue()
    assert secret.reveal() not in everything
    assert everything.count("***") == 4


@pytest.mark.parametrize("quiet", [False, True])
def test_what_takes_long_says_so_on_a_terminal(quiet: bool) -> None:
    with streams() as (out, err):
        shown = Screen()
        shown.quiet = quiet
        with shown.progress("working", 2) as running:
            running.step()
            running.begin()
            running.step()
        shown.say("done")
        shown.close()
    assert ("working" in err.getvalue()) is not quiet
    assert ("done" in err.getvalue()) is not quiet
    assert out.getvalue() == ""


def test_elsewhere_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "PATIENCE", 0.0)
    begun = threading.Event()
    real = screen.Running.begin

    def noted(running: screen.Running) -> None:
        real(running)
        begun.set()

    monkeypatch.setattr(screen.Running, "begin", noted)
    with streams(io.StringIO) as (_, err):
        shown = Screen()
        with shown.progress("working", 3):
            assert begun.wait(10)
        shown.close()
    assert err.getvalue() == "working: 0 of 3 done, going on\n"


def test_work_is_side_by_side_and_in_order(tmp_path: Path) -> None:
    session = Session(tmp_path, Screen(), "", lambda: pytest.fail("no toolbox is needed"))
    together_ = threading.Barrier(8, timeout=30)

    def work(number: int) -> int:
        together_.wait()
        return number * number

    assert session.each("squaring", range(8), work) == [n * n for n in range(8)]
    with pytest.raises(ZeroDivisionError):
        session.each("dividing", [1, 0], lambda number: 1 // number)
    session.close()
