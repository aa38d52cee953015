"""Whatever a page names exists: links, files, commands, options, variables, make targets, messages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import typer.main

from operations.application import app
from operations.program import Globals
from operations.results import GRAVITY
from providers.core.policies import ROLES
from tests.docs.markdown import PAGES, ROOT, all_blocks, anchors, links, name_of, spans, table

README = ROOT / "README.md"
CODE = "\n".join(
    file.read_text(encoding="utf-8")
    for folder in ("providers", "operations")
    for file in sorted((ROOT / folder).rglob("*.py"))
)
FLAT = re.sub(r'"\s*\n\s*f?"', "", CODE)
"""The code with the texts that are written over several lines joined."""

COMMANDS = {
    name: {option for parameter in command.params for option in parameter.opts}
    for name, command in typer.main.get_group(app).commands.items()
}
EVERYWHERE = {"--stack", "--json", "--quiet", "-q", "--help"}
TOP = {path.name for path in ROOT.iterdir()}


def every(found: Callable[[Path], list[str]]) -> list[tuple[str, str]]:
    return [(name_of(page), text) for page in PAGES for text in found(page)]


@pytest.mark.parametrize(("page", "target"), sorted(set(every(links))))
def test_links_lead_somewhere(page: str, target: str) -> None:
    assert "://" not in target, "links stay in the repository"
    path, _, anchor = target.partition("#")
    where = (ROOT / page).parent / path if path else ROOT / page
    assert where.exists()
    if anchor:
        assert anchor in anchors(where)


def paths() -> list[tuple[str, str]]:
    """Code spans that are paths from the top of the repository."""
    return sorted(
        {
            (page, text.rstrip("/"))
            for page, text in every(spans)
            if re.fullmatch(r"[\w./*-]+", text) and (text.partition("/")[0] in TOP or text.endswith(".py"))
        }
    )


@pytest.mark.parametrize(("page", "path"), paths())
def test_files_exist(page: str, path: str) -> None:
    if "/" in path or path in TOP:
        assert list(ROOT.glob(path))
    else:
        # A module is named by its file alone where the sentence says which folder.
        assert list(ROOT.glob(f"*/**/{path}"))


def calls() -> list[tuple[str, str]]:
    """Every call of the command, in prose and in blocks."""
    found = {(page, text) for page, text in every(spans) if text.startswith(("connections ", "script/connections "))}
    for block in all_blocks("shell"):
        found |= {(block.page, line) for line in block.text.splitlines() if line.startswith("connections ")}
    return sorted(found)


@pytest.mark.parametrize(("page", "line"), calls())
def test_commands_and_their_options_exist(page: str, line: str) -> None:
    words = re.sub(r'"[^"]*"', "TEXT", line).split()[1:]
    command = next(word for word in words if not word.startswith("-"))
    assert command in COMMANDS, page
    options = {word.strip("[]") for word in words if word.startswith("-")}
    assert options <= COMMANDS[command] | EVERYWHERE


def test_the_list_of_commands_is_whole() -> None:
    rows = table(README, "commands")
    assert [row[0].strip("`").split()[1] for row in rows if row[0].count(" ") == 1] == [row[0][13:-1] for row in rows]
    assert {row[0][13:-1] for row in rows} == set(COMMANDS)
    for row in rows:
        assert set(re.findall(r"`(--[\w-]+)`", row[1])) <= COMMANDS[row[0][13:-1]]
    assert set(Globals.__dataclass_fields__) == {"stack", "as_json", "quiet"}


def test_the_exit_codes_are_those_of_the_command() -> None:
    rows = table(README, "exit codes")
    told = ", ".join(f"{code} {meaning}" for code, meaning in rows)
    assert {int(row[0]) for row in rows} == set(GRAVITY)
    assert told in (app.info.epilog or "")


def variables() -> list[tuple[str, str]]:
    texts = [(name_of(page), page.read_text(encoding="utf-8")) for page in PAGES]
    ours = re.compile(r"\b((?:CONNECTIONS|VAULT|PROTOCOL)_[A-Z_]+)\b")
    return sorted({(page, name) for page, text in texts for name in ours.findall(text)})


@pytest.mark.parametrize(("page", "name"), variables())
def test_variables_are_read_somewhere(page: str, name: str) -> None:
    folders = ("providers", "operations", "tests", "script")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ""}]
    own = Path(__file__).parent
    read = [path.read_text(encoding="utf-8") for path in files if path.is_file() and own not in path.parents]
    # Names of one family are put together from what they share and a word.
    shared = "CONNECTIONS_TEST_VAULT_"
    parts = [f"{shared}{{", f'"{name.removeprefix(shared)}"'] if name.startswith(shared) else [name]
    patterns = [re.compile(rf"(?<!\w){re.escape(part)}(?!\w)" if part == name else re.escape(part)) for part in parts]
    assert any(all(pattern.search(text) for pattern in patterns) for text in read), page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {text.split()[1] for text in spans(page) if text.startswith("make ") and text.count(" ") == 1} <= targets


def messages() -> list[tuple[str, str]]:
    """What the tables of troubles quote."""
    troubles = [
        *((name_of(README), row[1]) for row in table(README, heading="## When something fails")),
        *(
            (f"docs/{page}", row[0])
            for page, heading in (
                ("woocommerce.md", "Other lines you may meet"),
                ("bigcommerce.md", "## When it fails"),
                ("stone-edge.md", "## When it fails"),
            )
            for row in table(ROOT / "docs" / page, heading=heading)
        ),
    ]
    quoted = {(page, text) for page, cell in troubles for text in re.findall(r"`([^`]+)`", cell)}
    of_others = {"the stack is currently locked", "up"}
    return sorted(
        (page, text) for page, text in quoted if text not in of_others and not text.startswith("connections ")
    )


@pytest.mark.parametrize(("page", "text"), messages())
def test_messages_are_said_by_the_code(page: str, text: str) -> None:
    # What varies is left out: names in <>, numbers, and whatever stands for the rest.
    parts = [part.strip(" :;,") for part in re.split(r"\.\.\.|\. |<[^>]*>|\b\d+\b|\(|\)", text)]
    absent = [part for part in parts if len(part) > 3 and part not in FLAT]
    assert absent == [], page


def test_every_role_is_described() -> None:
    assert [row[0] for row in table(ROOT / "docs" / "threat-model.md", heading="## Who may do what")] == list(ROLES)
