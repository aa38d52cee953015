"""The layers of docs/architecture.md are those of the code."""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs import figures
from tests.docs.markdown import ROOT, table

PAGE = ROOT / "docs" / "architecture.md"
LAYERS = table(PAGE, heading="## Layers")
PARTS = [row[0].strip("`") for row in LAYERS]
DOORS = table(PAGE, heading="Libraries stay behind one door each")


def part_of(module: str) -> str:
    """The part that holds a module; empty for what is not ours."""
    path = f"{module.replace('.', '/')}/"
    return next((part for part in PARTS if path.startswith(f"{part.removesuffix('.py')}/")), "")


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files_of(part: str) -> list[Path]:
    return [ROOT / part] if part.endswith(".py") else sorted((ROOT / part).rglob("*.py"))


def spans(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


@pytest.mark.parametrize("row", LAYERS, ids=lambda row: str(row[0].strip("`")))
def test_a_part_imports_what_the_table_says(row: list[str]) -> None:
    part = row[0].strip("`")
    found = {part_of(name) for file in files_of(part) for name in imported(file)} - {"", part}
    assert found == spans(row[1])


def test_no_file_stands_outside_the_table() -> None:
    own = {file for part in PARTS for file in files_of(part)}
    outside = [
        str(file.relative_to(ROOT))
        for folder in ("providers", "operations", "sandbox", "bench")
        for file in sorted((ROOT / folder).rglob("*.py"))
        if file not in own
    ]
    assert outside == ["providers/__init__.py"]


def test_libraries_stay_behind_their_doors() -> None:
    users: dict[str, set[str]] = defaultdict(set)
    for part in PARTS:
        if part.partition("/")[0] in {"sandbox", "bench"}:
            continue
        for file in files_of(part):
            for name in imported(file):
                users[name.partition(".")[0]].add(str(file.relative_to(ROOT)))
    for libraries, doors, *_ in DOORS:
        for library in spans(libraries):
            assert users[library] == spans(doors), library


@pytest.mark.parametrize("picture", sorted((ROOT / "docs").glob("*.svg")), ids=lambda path: path.name)
def test_pictures_are_whole_and_need_nothing_else(picture: Path) -> None:
    text = picture.read_text(encoding="utf-8")
    tree = ET.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    assert tree.find(f"{space}title") is not None
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"href=|url\((?!#)|@import", text)


def test_the_picture_names_every_part() -> None:
    text = (ROOT / "docs" / "layers.svg").read_text(encoding="utf-8")
    assert [part for part in PARTS if f">{part}<" not in text] == []


def test_the_figures_are_a_table_of_a_bench() -> None:
    text = PAGE.read_text(encoding="utf-8")
    found = figures.PLACE.search(text)
    assert found is not None
    head, rule, *rows = found[0].splitlines()
    assert (head, rule) == figures.HEAD
    example = [{"command": "floor", "connections": 2, "seconds": 1.25, "peak_mib": 0, "store_calls": 6}]
    assert figures.table(example).splitlines()[2] == "| floor | 2 | 1.2 | 1.0 | - | 3 |"
    assert all(re.fullmatch(r"\| [^|]+ \| \d+ \| [\d.]+ \| [\d.]+ \| (\d+|-) \| \d+ \|", row) for row in rows)
    assert {row.split(" | ")[0].strip("| ") for row in rows} >= {"up", "refresh", "destroy"}
