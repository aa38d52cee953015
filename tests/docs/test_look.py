"""The thirty-second look of README.md: what it shows is what is seen."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from operations.local.commands import NEXT
from operations.local.people import AWAY
from operations.local.place import PROJECT, STACK
from operations.local.prepare import VERSIONS
from operations.results import counted
from providers.declarations import Connection, load, platforms
from tests.docs.markdown import ROOT, missing, shape, the_block
from tests.end_to_end.workbench import Workbench


def test_the_table_is_of_the_sandboxs_files() -> None:
    stack = load(ROOT / "stacks", STACK, platforms(), project=PROJECT)
    lines = shape(the_block("shown", "status of stacks/sandbox").text)
    head, rule, *rows = lines[: 2 + len(stack.connections)]
    assert head == "connection rights state generation age rotation due links"
    assert set(rule) == {"-"}
    assert rows == [row_of(entry) for entry in stack.connections]
    *reasons, summary = [line for line in lines[2 + len(stack.connections) :] if line != "..."]
    awaited = [entry for entry in stack.connections if entry.name in AWAY]
    assert len(awaited) == len(AWAY)
    assert [reason.partition(": ")[0].split("/")[:2] for reason in reasons] == [
        entry.name.split("/") for entry in awaited
    ]
    for entry, reason in zip(awaited, reasons, strict=True):
        assert not entry.by_person or f"as `connections sheet {entry.name}` says" in reason
    assert summary == f"{STACK}: {len(stack.connections) - len(awaited)} live, {len(awaited)} awaiting_person"
    assert VERSIONS.keys() == {store.name for store in stack.stores if store.platform == "woocommerce"}


def row_of(entry: Connection) -> str:
    """A row of the table, in shape."""
    begin, names = f"{entry.name} {counted(entry.fields['rights'])}", [link.name for link in entry.links]
    due = "-" if entry.rotate_after is None else "DATE"
    if entry.name not in AWAY:
        return f"{begin} live 1 0 d {due} {', '.join(f'{name} acknowledged' for name in names)}"
    state, made = ("absent", "- - -") if entry.by_person else ("awaiting_person", f"1 0 d {due}")
    return f"{begin} awaiting_person {made} {', '.join(f'{name} {state}' for name in names)}"


def test_what_make_up_suggests_is_declared_and_waits_where_it_says_so() -> None:
    stack = load(ROOT / "stacks", STACK, platforms(), project=PROJECT)
    lines = [line.split() for line in NEXT.splitlines() if line.startswith("  script/connections ")]
    named = {tuple(word.split("/")) for words in lines for word in words[2:] if "/" in word}
    assert named
    known = {(*entry.name.split("/"), link.name) for entry in stack.connections for link in entry.links}
    assert [name for name in named if not any(full[: len(name)] == name for full in known)] == []
    for words in lines:
        if words[1] in {"sheet", "link"}:
            assert "/".join(words[2].split("/")[:2]) in AWAY


def test_what_make_up_suggests_exists() -> None:
    said = io.StringIO()
    Console(file=said, width=200).print(NEXT, highlight=False)
    names = {line.split()[0] for line in said.getvalue().splitlines() if line.startswith("  script/")}
    assert names
    assert all((ROOT / name).exists() for name in names)


@pytest.mark.xdist_group("docs-look")
def test_drift_is_shown_as_the_page_says(bench: Workbench) -> None:
    for name in ("fresh-roast", "northside"):
        bench.add_store(name)
        bench.declare(name, {"orders-hub": {}})
    bench.applied()
    client = bench.sandbox.client
    for name in ("fresh-roast", "northside"):
        (key,) = bench.keys(name)
        served = bench.stores[name].served
        if name == "fresh-roast":
            client.edit_key(served, key.key_id, permissions="read_write")
        else:
            client.delete_key(served, key.key_id)
    real = bench.pulumi("preview", "--diff", "--non-interactive")
    assert real.code == 0, real.text
    bench.remember_secrets()
    assert missing(the_block("shown", "drift").text, real.text) == [], real.text
