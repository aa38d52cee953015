"""`connections sheet`: what a person is to do in a store's panel, as text, Markdown or HTML.

Whoever does it is often the shop's owner and has no login of ours: the sheet is printed or sent, and no secret is in it.
"""

import html
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from operations.results import Block
from operations.session import Session
from providers.core.errors import ConnectionsError
from providers.core.people import tasks
from providers.core.sheet import Sheet, Table


@dataclass(frozen=True, slots=True)
class Sheets:
    """Every task that waits for a person, in the form that was asked for."""

    form: str
    sheets: tuple[Sheet, ...]
    exit_code: int = 0

    def shown(self) -> Iterable[Block]:
        """The sheets, one after another."""
        if not self.sheets:
            yield "No person is awaited."
            return
        yield FORMS[self.form](self.sheets)


def sheet(session: Session, scope: str, *, form: str) -> Sheets:
    """The sheets of the connections in the scope."""
    if form not in FORMS:
        raise ConnectionsError(f"--format: {form!r} is none of {', '.join(FORMS)}", do="See `connections sheet --help`")
    found = session.each(
        "reading journals",
        session.selected(scope),
        lambda connection: tasks(session.operation(connection), connection.fields),
    )
    return Sheets(form, tuple(task for some in found for task in some))


def as_text(sheets: Iterable[Sheet]) -> str:
    """For a terminal or a plain mail."""
    return "\n\n".join("\n".join(_text(one)) for one in sheets)


def _text(one: Sheet) -> Iterator[str]:
    yield from (one.title, "=" * len(one.title), "", one.link, "")
    for number, (step, table) in enumerate(_steps(one), 1):
        yield f"{number:>2}. {step}"
        wide = max((len(label) for label, _ in table), default=0)
        yield from (f"      {label:<{wide}}  {level}" for label, level in table)
    yield from ("", *(f"Note: {note}" for note in one.notes)) if one.notes else ()


def as_markdown(sheets: Iterable[Sheet]) -> str:
    """For an issue or a chat."""
    return "\n\n".join("\n".join(_markdown(one)) for one in sheets)


def _markdown(one: Sheet) -> Iterator[str]:
    yield from (f"# {_escaped(one.title)}", "", f"<{one.link}>", "")
    for number, (step, table) in enumerate(_steps(one), 1):
        yield f"{number}. {_escaped(step)}"
        if table:
            yield from ("", "   | Row | Level |", "   |---|---|")
            yield from (f"   | {_escaped(label)} | {_escaped(level)} |" for label, level in table)
            yield ""
    yield from ("", *(f"> {_escaped(note)}" for note in one.notes)) if one.notes else ()


_MARKS = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]<>|#&"})


def _escaped(text: str) -> str:
    return text.translate(_MARKS)


_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:44em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;margin:.5em 0}td{border:1px solid #999;padding:.15em .6em}"
    "section{break-after:page}"
)


def as_html(sheets: Iterable[Sheet]) -> str:
    """A page to print, one sheet on each."""
    body = "\n".join("\n".join(_html(one)) for one in sheets)
    head = f'<meta charset="utf-8"><title>What is to be done</title><style>{_STYLE}</style>'
    return f"<!doctype html>\n<html lang=en><head>{head}</head><body>\n{body}\n</body></html>"


def _html(one: Sheet) -> Iterator[str]:
    link = html.escape(one.link)
    yield f'<section><h1>{html.escape(one.title)}</h1>\n<p><a href="{link}">{link}</a></p>\n<ol>'
    for step, table in _steps(one):
        rows = "".join(f"<tr><td>{html.escape(a)}</td><td>{html.escape(b)}</td></tr>" for a, b in table)
        yield f"<li>{html.escape(step)}{f'<table>{rows}</table>' if rows else ''}</li>"
    yield "</ol>"
    yield from (f"<p>{html.escape(note)}</p>" for note in one.notes)
    yield "</section>"


def _steps(one: Sheet) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Each sentence with the rows that belong to it."""
    following = [*one.steps[1:], ""]
    for step, after in zip(one.steps, following, strict=True):
        if isinstance(step, str):
            yield step, after.rows if isinstance(after, Table) else ()


FORMS: Mapping[str, Callable[[Iterable[Sheet]], str]] = {"text": as_text, "markdown": as_markdown, "html": as_html}
"""What `--format` takes."""
