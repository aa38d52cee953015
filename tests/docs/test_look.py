"""The thirty-second look of README.md: what it shows is what is seen."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from operations.local.commands import NEXT
from operations.local.people import PLAYED
from operations.local.place import PROJECT, STACK
from operations.local.world import VERSIONS
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
    (awaited,) = [entry.name for entry in stack.connections if is_awaited(entry)]
    reason, summary = lines[2 + len(stack.connections) :]
    assert reason.startswith(f"{awaited}: make key number 1 by hand, as `connections sheet {awaited}` says")
    assert summary == f"{STACK}: {len(stack.connections) - 1} live, 1 awaiting_person"
    assert f"script/connections sheet {awaited}" in NEXT
    assert VERSIONS.keys() == {store.name for store in stack.stores if store.platform == "woocommerce"}


def is_awaited(entry: Connection) -> bool:
    return entry.by_person and entry.store.name not in PLAYED


def row_of(entry: Connection) -> str:
    """A row of the table, in shape."""
    begin, (link,) = f"{entry.name} {counted(entry.fields['rights'])}", entry.links
    if is_awaited(entry):
        return f"{begin} awaiting_person - - - {link.name} absent"
    due = "-" if entry.rotate_after is None else "DATE"
    return f"{begin} live 1 0 d {due} {link.name} acknowledged"


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
