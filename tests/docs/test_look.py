"""The thirty-second look of README.md: what it shows is what is seen."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from operations.local import NEXT, PROJECT, STACK, VERSIONS
from providers.declarations import load, platforms
from tests.docs.markdown import ROOT, missing, shape, the_block
from tests.end_to_end.workbench import Workbench


def test_the_table_is_of_the_sandboxs_files() -> None:
    stack = load(ROOT / "stacks", STACK, platforms(), project=PROJECT)
    lines = shape(the_block("shown", "status of stacks/sandbox").text)
    head, rule, *rows, summary = lines
    assert head == "connection rights state generation age rotation due links"
    assert set(rule) == {"-"}
    assert summary == f"{STACK}: {len(stack.connections)} live"
    declared = {entry.name: (entry.fields["rights"], entry.links[0].name) for entry in stack.connections}
    assert {row.split()[0]: (row.split()[1], row.split()[-2]) for row in rows} == declared
    assert {row.split(None, 2)[2].rpartition(" ")[0].rpartition(" ")[0] for row in rows} == {"live 1 0 d DATE"}
    assert {row.split()[-1] for row in rows} == {"acknowledged"}
    assert len(VERSIONS) == len(stack.stores)


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
