"""The documents as the tests read them: fenced blocks with the remark above each, code spans, tables, headings, links.

A remark is an HTML comment on the line above a fence, which readers do not see. It says what a block is:

- `shell: NAME` commands; blocks of one name are one session, in order
- `python: NAME` a program
- `settings: PATH` lines that are added to a stack's settings
- `file: PATH` a declared file, validated and, in a session, written
- `policy: NAME` a policy for Vault
- `shown: WHAT` output; `...` on a line of its own stands for what was left out
- `run elsewhere: PATH` the test that runs it
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    ROOT / "README.md",
    ROOT / "docs" / "architecture.md",
    ROOT / "docs" / "bigcommerce.md",
    ROOT / "docs" / "coopcycle.md",
    ROOT / "docs" / "pimworks.md",
    ROOT / "docs" / "protocol.md",
    ROOT / "docs" / "stackone.md",
    ROOT / "docs" / "stone-edge.md",
    ROOT / "docs" / "surecart.md",
    ROOT / "docs" / "threat-model.md",
    ROOT / "docs" / "woocommerce.md",
)
KINDS = frozenset({"shell", "python", "settings", "file", "policy", "shown", "run elsewhere"})

_FENCE = re.compile(r"(?:^<!-- ([a-z ]+): ([^\n]+) -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK = re.compile(r"!?\[[^\]\n]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: `kind` and `what` of the remark above it (both empty without one), its language and its text."""

    page: str
    line: int
    kind: str
    what: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page."""
    text = read(page)
    return [
        Block(
            name_of(page), text.count("\n", 0, found.start(3)) + 1, found[1] or "", found[2] or "", found[3], found[4]
        )
        for found in _FENCE.finditer(text)
    ]


def all_blocks(kind: str = "") -> list[Block]:
    """The blocks of all pages, or those of one kind."""
    return [block for page in PAGES for block in blocks(page) if not kind or block.kind == kind]


def the_block(kind: str, what: str, page: str = "") -> Block:
    """The only block with this remark."""
    (found,) = (block for block in all_blocks(kind) if block.what == what and page in {"", block.page})
    return found


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", read(page))


def spans(page: Path) -> list[str]:
    """Everything written as code in the prose of a page."""
    return _SPAN.findall(prose(page))


def links(page: Path) -> list[str]:
    """The targets of all links of a page."""
    return _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def table(page: Path, remark: str = "", heading: str = "") -> list[list[str]]:
    """The rows of the first table after a remark or a line, without its head."""
    text = read(page)
    start = text.index(f"<!-- {remark} -->" if remark else heading)
    lines = text[start:].splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


# --- outputs ----------------------------------------------------------------------------------------------------------

_VARIES: tuple[tuple[str, str], ...] = (
    (r"\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?( UTC)?)?", "DATE"),
    (r"\b[0-9a-f]{16,}\b", "DIGITS"),
    (r"[─-╿]+", "-"),
    (r"[ \t]+", " "),
)


def shape(text: str) -> list[str]:
    """The lines of an output without what varies from run to run, and without the engine's resource names."""
    for pattern, word in _VARIES:
        text = re.sub(pattern, word, text)
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("[urn=")]


def chunks(shown: str) -> list[list[str]]:
    """The parts of a shown output between its `...` lines, in shape."""
    parts = re.split(r"^\.\.\.$", shown, flags=re.MULTILINE)
    return [found for part in parts if (found := shape(part))]


def missing(shown: str, real: str) -> list[list[str]]:
    """The parts of a shown output that a real one does not have, each as a whole. An output shown without `...` must be
    the whole of the real one."""
    lines, parts = shape(real), chunks(shown)
    if not re.search(r"^\.\.\.$", shown, re.MULTILINE):
        return [] if parts == [lines] else parts
    return [
        part
        for part in parts
        if not any(lines[at : at + len(part)] == part for at in range(len(lines) - len(part) + 1))
    ]
