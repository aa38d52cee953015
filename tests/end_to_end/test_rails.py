"""What is refused before anything is touched, and what a login that may read nothing sees."""

from __future__ import annotations

import re

import pytest

from tests.end_to_end.workbench import Workbench

pytestmark = [pytest.mark.xdist_group("rotation"), pytest.mark.timeout(400), pytest.mark.no_cover]


def test_every_mistake_in_the_files_is_said_at_once_and_nothing_is_touched(bench: Workbench) -> None:
    bench.add_store("shop")
    bench.declare("shop", {"orders": {"rights": "everything"}, "stock": {"purpose": "", "user": "hub-reader"}})
    bench.declare("shop", {"orders": {"rights": "everything"}, "stock": {"user": ""}}, url="http://shop.example/")
    seen = bench.up()
    assert seen.code != 0
    assert set(re.findall(r"(\S+\.yaml):\d+", seen.text)) == {f"stacks/{bench.stack}/shop.yaml"}
    for words in ("'everything' was found", "does not begin with https://", "an empty value"):
        assert words in seen.text
    assert "Traceback" not in seen.text
    assert "unhandled" not in seen.text
    assert bench.sandbox.client.requests(store=bench.stores["shop"].served) == []
    assert bench.connections() == []


def test_too_much_at_once_needs_a_word(bench: Workbench) -> None:
    bench.add_store("shop")
    names = ("orders", "stock", "reports")
    bench.declare("shop", {name: {} for name in names})
    bench.applied()
    before = {name: bench.credential(f"shop/{name}") for name in names}

    bench.declare("shop", {name: {"rotate": "all of them"} for name in names})
    refused = bench.preview()
    assert refused.code != 0
    words = (
        "this ends 0 and renews 3 of 3 credentials (shop/orders, shop/reports, shop/stock); "
        "if that is meant, run with CONNECTIONS_OVERRIDE=3"
    )
    assert words in refused.text
    assert bench.up().code != 0
    assert {name: bench.credential(f"shop/{name}") for name in names} == before

    # One by one it is no less on one day: Vault counts.
    rotated: dict[str, dict[str, str]] = {}
    for name in names:
        rotated[name] = {"rotate": "one by one"}
        bench.declare("shop", {name: rotated.get(name, {}) for name in names})
        result = bench.up()
        assert (result.code == 0) is (name != "reports"), result.text
    assert "after 2 today (shop/reports)" in result.text
    assert bench.states("shop/reports") == {"1": "current"}
    bench.applied(env={"CONNECTIONS_OVERRIDE": "1"})
    assert bench.states("shop/reports") == {"1": "superseded", "2": "current"}


def test_the_preview_of_a_pull_request_reads_no_secret_and_invents_nothing(bench: Workbench) -> None:
    bench.add_store("shop")
    bench.declare("shop", {"orders": {}, "stock": {}})
    bench.applied()
    bench.sandbox.client.delete_key(bench.stores["shop"].served, bench.keys("shop")[0].key_id)
    seq, tokens = bench.sandbox.client.last_seq(), bench.tokens()
    seen = bench.preview("--expect-no-changes", role="preview")
    assert seen.code == 0, seen.text
    assert bench.tokens() == tokens, "the login of the run did not end with it"
    assert "not looked at: this login may read no secret" in seen.text
    assert "generation 1 was proved on 20" in seen.text
    assert "drift" not in seen.text
    # Without a login to read, nothing is sent to a store that could hold one.
    assert {row.operation for row in bench.sandbox.client.requests(since=seq)} <= {"rest_index"}
    bench.declare("shop", {"orders": {"rights": "read_write"}, "stock": {}})
    asked = bench.preview(role="preview")
    assert asked.code == 0
    assert '~ rights: "read" => "read_write"' in asked.text
    assert "shop/orders: wider rights: it may now write too" in asked.text
    none = bench.preview(role=None)
    assert none.code == 0
    assert '~ rights: "read" => "read_write"' in none.text
    assert sum("no login for Vault is set" in line and line.startswith("not looked at") for line in none.lines) == 1
