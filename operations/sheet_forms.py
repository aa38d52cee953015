"""The forms of a sheet: text for a terminal or a mail, Markdown for an issue, HTML for a printer.

What stands in a sheet comes from declarations and platforms; it is put in as text, whatever it looks like.
"""

import html
import re
from collections.abc import Iterable, Iterator
from typing import Final

from providers.core.sheet import Sheet, Table

NONE: Final = "none"
"""The level of a row that is to stay without a right; it is set like any other, and stands out less."""


def _steps(one: Sheet) -> Iterator[tuple[int, str, tuple[tuple[str, str], ...]]]:
    """Each sentence with its number and the rows that belong to it."""
    following = (*one.steps[1:], "")
    number = 0
    for step, after in zip(one.steps, following, strict=True):
        if isinstance(step, str):
            number += 1
            yield number, _line(step), after.rows if isinstance(after, Table) else ()


def _line(text: str) -> str:
    """A text on one line, without control codes."""
    return "".join(character for character in " ".join(text.split()) if character.isprintable())


# --- text -------------------------------------------------------------------------------------------------------------


def as_text(sheets: Iterable[Sheet]) -> str:
    """For a terminal or a plain mail; a box before every row, to tick."""
    return "\n\n\n".join("\n".join(_text(one)) for one in sheets)


def _text(one: Sheet) -> Iterator[str]:
    title = _line(one.title)
    yield from (title, "=" * len(title), "", _line(one.link), "")
    for number, step, rows in _steps(one):
        # Never broken: a step may hold a command, which is copied.
        yield f"{number:>2}. {step}"
        wide = max((len(_line(label)) for label, _ in rows), default=0)
        yield from (f"    [ ] {_line(label):<{wide}}  {_line(level)}" for label, level in rows)
    yield from ("", *(f"Note: {_line(note)}" for note in one.notes)) if one.notes else ()


# --- Markdown ---------------------------------------------------------------------------------------------------------

_MARKS: Final = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]<>#|~&$"})
"""Everything that begins markup in the middle of a line."""

_FIRST: Final = re.compile(r"\A([-+=]|[0-9]+(?=[.)]))")
"""What begins a list or an underlined heading, first in a line."""


def as_markdown(sheets: Iterable[Sheet]) -> str:
    """For an issue or a chat."""
    return "\n\n".join("\n".join(_markdown(one)) for one in sheets)


def _markdown(one: Sheet) -> Iterator[str]:
    yield from (f"# {_escaped(one.title)}", "", _markdown_link(one.link), "")
    for number, step, rows in _steps(one):
        head = f"{number}. "
        yield f"{head}{_escaped(step)}"
        if rows:
            indent = " " * len(head)
            yield from ("", f"{indent}| Row | Level |", f"{indent}|---|---|")
            yield from (f"{indent}| {_escaped(label)} | {_strong(level)} |" for label, level in rows)
            yield ""
    for note in one.notes:
        yield from ("", f"> {_escaped(note)}")


def _strong(level: str) -> str:
    return _escaped(level) if level.lower() == NONE else f"**{_escaped(level)}**"


def _escaped(text: str) -> str:
    return _FIRST.sub(_marked, _line(text).translate(_MARKS))


def _marked(found: re.Match[str]) -> str:
    """A first mark that is none: with a backslash before it, or, a number, before what follows it."""
    return f"{found[1]}\\" if found[1].isdigit() else f"\\{found[1]}"


def _markdown_link(link: str) -> str:
    return f"<{link}>" if _is_link(link) else _escaped(link)


def _is_link(link: str) -> bool:
    """Whether a browser can be sent there, and nothing in it could end a link early."""
    return re.fullmatch(r"https://[!#-;=?-\[\]_a-z~]+", link) is not None


# --- HTML -------------------------------------------------------------------------------------------------------------

_STYLE: Final = """\
:root { color-scheme: light; }
body { margin: 2em auto; max-width: 46em; padding: 0 1em; background: #fff; color: #000;
  font: 16px/1.45 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; overflow-wrap: anywhere; }
section + section { margin-top: 4em; }
h1 { font-size: 1.4em; line-height: 1.2; margin: 0 0 .4em; }
a { color: #000; }
li { margin: .35em 0; }
table { border-collapse: collapse; margin: .6em 0 .9em; width: 100%; font-size: .95em; }
th, td { border: 1px solid #777; padding: .2em .6em; text-align: left; vertical-align: top; }
th { border-bottom: 2px solid #000; }
td:first-child, th:first-child { width: 1em; text-align: center; }
td.level { font-weight: 700; white-space: nowrap; }
tr.none td { color: #595959; border-color: #bbb; }
tr.none td.level { font-weight: 400; font-style: italic; }
aside { border-left: 3px solid #000; padding: .1em 0 .1em .9em; margin: 1.2em 0 0; }
aside p { margin: .4em 0; }
@page { margin: 11mm 15mm; }
@media print {
  body { margin: 0; max-width: none; padding: 0; font-size: 10pt; line-height: 1.3; }
  li { margin: .2em 0; }
  aside { margin-top: .6em; }
  aside p { margin: .2em 0; }
  section + section { margin-top: 0; break-before: page; }
  table { font-size: 9pt; margin: .3em 0 .5em; }
  th, td { padding: .05em .5em; }
  thead { display: table-header-group; }
  tr, aside p { break-inside: avoid; }
  h1 { break-after: avoid; font-size: 1.25em; }
}
"""

_HEAD: Final = f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%s</title>
<style>
{_STYLE.replace("%", "%%")}</style>
</head>
<body>
"""


def as_html(sheets: Iterable[Sheet]) -> str:
    """A page to print: black on white, each sheet on paper of its own, a box before every row to tick."""
    every = tuple(sheets)
    title = _html(every[0].title) if len(every) == 1 else "What is to be done"
    return "\n".join((_HEAD % title + "\n".join(map(_section, every)), "</body>", "</html>"))


def _section(one: Sheet) -> str:
    return "\n".join(_section_lines(one))


def _section_lines(one: Sheet) -> Iterator[str]:
    link = _html(one.link)
    yield from ("<section>", f"<h1>{_html(one.title)}</h1>")
    yield f'<p><a href="{link}">{link}</a></p>' if _is_link(one.link) else f"<p>{link}</p>"
    yield "<ol>"
    for _, step, rows in _steps(one):
        yield f"<li>{_html(step)}"
        if rows:
            yield "<table>\n<thead><tr><th></th><th>Row</th><th>Level</th></tr></thead>\n<tbody>"
            yield from (_row(label, level) for label, level in rows)
            yield "</tbody>\n</table>"
        yield "</li>"
    yield "</ol>"
    if one.notes:
        yield from ("<aside>", *(f"<p>{_html(note)}</p>" for note in one.notes), "</aside>")
    yield "</section>"


def _row(label: str, level: str) -> str:
    none = ' class="none"' if level.lower() == NONE else ""
    return f'<tr{none}><td>&#9744;</td><td>{_html(label)}</td><td class="level">{_html(level)}</td></tr>'


def _html(text: str) -> str:
    return html.escape(_line(text))
