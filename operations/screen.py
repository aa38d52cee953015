"""The two streams of a command: the result on standard output, everything else on standard error, all of it redacted.

Text from stores is shown as text: no control codes, no markup, cut where it is long.
"""

import json
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table as RichTable
from rich.text import Text

from operations.results import Page, Result, Table, document
from providers.core.redaction import RedactedStream, redact

PATIENCE: Final = 2.0
"""Seconds after which a command says that it is still at work."""

LONGEST: Final = 400
"""Characters of one text that are shown."""

WIDE: Final = 10_000
"""Columns where nobody looks at a terminal: a row is a line there."""

STYLES: Final = {
    **dict.fromkeys(("live", "ok", "confirmed", "acknowledged", "done"), "green"),
    **dict.fromkeys(("rotating", "retiring", "awaiting_person", "unverifiable", "unchecked", "unknown"), "yellow"),
    **dict.fromkeys(("problem", "drift", "failed", "contradicted", "absent", "closed"), "red"),
}
"""Words that are easier to find in colour. They mean the same without."""


def plain(text: str) -> str:
    """A text of anybody's on one line, printable, without a secret, and only then cut: a part of one is none to find."""
    line = "".join(character if character.isprintable() else "�" for character in " ".join(redact(text).split()))
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def printable(text: str) -> str:
    """A text of several lines without control codes: nothing that a terminal would obey."""
    return "\n".join(
        "".join(character if character.isprintable() else "�" for character in line) for line in text.splitlines()
    )


class Screen:
    """Where one command's words go. `close` writes what is left."""

    def __init__(self) -> None:
        self.as_json = self.quiet = False
        self.terminal = sys.stderr
        self.out, self.err = RedactedStream(sys.stdout), RedactedStream(sys.stderr)
        self.running: Running | None = None

    def show(self, result: Result) -> None:
        """The result, as a document or for people."""
        if self.as_json:
            self.document(document(result))
            return
        console = _console(self.out)
        for block in result.shown():
            if isinstance(block, Page):
                # Past the renderer, which knows better where a line should end.
                self.out.write(f"{printable(block.text)}\n")
            else:
                _print(console, block)

    def document(self, value: Any) -> None:
        """One JSON document on standard output."""
        self.out.write(json.dumps(value, indent=2) + "\n")

    def say(self, line: str) -> None:
        """A line about what is going on; not with `--quiet`."""
        if not self.quiet:
            self.fail(line)

    def fail(self, line: str) -> None:
        """A line that is always said, on standard error."""
        if self.running is not None and self.running.bar is not None:
            self.running.bar.console.print(Text(plain(redact(line))), soft_wrap=True)
        else:
            self.err.write(f"{plain(line)}\n")

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator["Running"]:
        """Say how far it is, where it takes longer than `PATIENCE`."""
        self.running = Running(self, what, total)
        timer = threading.Timer(PATIENCE, self.running.begin)
        timer.daemon = True
        timer.start()
        try:
            yield self.running
        finally:
            timer.cancel()
            timer.join()
            self.running.end()
            self.running = None

    def close(self) -> None:
        """Write what waits for the end of its line."""
        self.out.close()
        self.err.close()


class Running:
    """Something that takes a while: a bar on a terminal, one line elsewhere, nothing where all is quiet."""

    def __init__(self, screen: Screen, what: str, total: int) -> None:
        self.screen, self.what, self.total = screen, what, total
        self.bar: Progress | None = None
        self._task = TaskID(0)
        self._done = 0

    def begin(self) -> None:
        """It takes longer: say so."""
        if self.screen.quiet:
            return
        if not self.screen.terminal.isatty():
            self.screen.say(f"{self.what}: {self._done} of {self.total} done, going on")
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        # Not through the redacting stream, which waits for whole lines: what a bar says is only how many.
        bar = Progress(*columns, console=Console(file=self.screen.terminal), transient=True)
        self._task = bar.add_task(self.what, total=self.total, completed=self._done)
        bar.start()
        self.bar = bar

    def step(self) -> None:
        """One more is done."""
        self._done += 1
        if self.bar is not None:
            self.bar.update(self._task, completed=self._done)

    def end(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.stop()


def _console(stream: RedactedStream) -> Console:
    sink: Any = stream  # a text stream, though no file
    return Console(file=sink, width=None if stream.isatty() else WIDE, highlight=False)


def _print(console: Console, block: Table | str) -> None:
    if isinstance(block, str):
        console.print(Text(block), soft_wrap=True)
        return
    table = RichTable(box=SIMPLE_HEAD, title=block.title or None, title_justify="left", show_edge=False)
    for column in block.columns:
        table.add_column(column, overflow="fold")
    for row in block.rows:
        table.add_row(*(Text(plain(cell), style=STYLES.get(cell, "")) for cell in row))
    console.print(table)


def table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], title: str = "") -> Iterator[Table]:
    """A table, or nothing where it has no rows."""
    if rows:
        yield Table(columns, tuple(rows), title)
