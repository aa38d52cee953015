"""`connections verify` and `show`: live proof with its evidence, and one connection with the origin of every value."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operations.conftest import ORDERS, Project


def only(document: dict[str, Any]) -> dict[str, Any]:
    """The one connection of a report."""
    (entry,) = document["connections"]
    found: dict[str, Any] = entry
    return found


def verdicts(entry: dict[str, Any]) -> dict[str, str]:
    return {finding["check"]: finding["verdict"] for finding in entry["findings"]}


def test_a_proof_is_both_ways(connected: tuple[Project, str]) -> None:
    project, _ = connected
    document = project.ask("verify")
    entry = only(document)
    assert document.keys() == {"stack", "connections"}
    assert entry.keys() == {"name", "generation", "findings", "drift", "problem", "exit_code"}
    assert set(verdicts(entry).values()) == {"confirmed"}
    assert len(entry["findings"]) >= 3
    assert all(finding["evidence"] for finding in entry["findings"])
    assert (entry["generation"], entry["drift"], entry["problem"], entry["exit_code"]) == (1, [], "", 0)
    shown = project("verify", "fresh-roast/*")
    assert f"{project.stack}: 1 of 1 connections are exactly as declared" in shown.out


def test_a_wider_key_is_contradicted(connected: tuple[Project, str]) -> None:
    project, there = connected
    (key,) = project.control.keys(there)
    project.control.edit_key(there, key.key_id, permissions="read_write")
    entry = only(project.ask("verify", code=2))
    assert "rights is read_write at the store, read in the file" in entry["drift"]
    assert "contradicted" in verdicts(entry).values()
    shown = project("verify")
    assert "as declared" in shown.out
    assert "0 of 1 connections" in shown.out


def test_a_key_that_is_gone(connected: tuple[Project, str]) -> None:
    project, there = connected
    (key,) = project.control.keys(there)
    project.control.delete_key(there, key.key_id)
    entry = only(project.ask("verify", code=2))
    assert any("gone from the store" in line for line in entry["drift"])


def test_what_could_not_be_looked_at(connected: tuple[Project, str]) -> None:
    project, there = connected
    project.control.add_fault("drop_before", store=there, times=None)
    entry = only(project.ask("verify", code=3))
    assert entry["problem"]
    assert "unchecked" in project("verify").out


def test_a_store_that_says_nothing_to_the_key(connected: tuple[Project, str]) -> None:
    project, there = connected
    project.control.add_fault("status", store=there, path="products", times=None, status=503)
    called = project("verify", "--json")
    assert called.code == 3, called.out
    assert only(called.json)["problem"]


def test_what_was_never_made(project: Project) -> None:
    there = project.store("fresh-roast")
    project.declare("fresh-roast", there, ORDERS)
    entry = only(project.ask("verify", code=2))
    assert entry["problem"] == "nothing was made yet; `pulumi up` makes it"


def test_a_key_that_a_person_is_to_make(project: Project) -> None:
    there = project.store("fresh-roast")
    project.declare("fresh-roast", there, ORDERS, login="none")
    project.up()
    entry = only(project.ask("verify", code=4))
    assert "by hand" in entry["problem"]


def test_another_run_at_work(connected: tuple[Project, str]) -> None:
    project, _ = connected
    journal = dict(project.journal("fresh-roast/orders"))
    # Ahead of our clock: it stays fresh for as long as the test lasts.
    lease = {"run": "ab12cd34", "since": "2999-01-01T00:00:00Z"}
    project.write("fresh-roast/orders/journal", journal | {"lease": lease})
    assert only(project.ask("verify", code=3))["problem"] == "run ab12cd34 is at work"


def test_verify_is_enough_of_a_role(connected: tuple[Project, str]) -> None:
    project, _ = connected
    project.role = "verify"
    assert project("verify").code == 0


# --- show ---


def test_every_value_has_its_line(connected: tuple[Project, str]) -> None:
    project, there = connected
    document = project.ask("show", "fresh-roast/orders")
    assert document.keys() == {"name", "vault_path", "values", "links", "journal", "problem", "exit_code"}
    values = {entry["word"]: (entry["value"], entry["origin"]) for entry in document["values"]}
    file, settings = f"stacks/{project.stack}/fresh-roast.yaml", f"stacks/{project.stack}/_stack.yaml"
    assert values["url"] == (project.control.store_url(there), f"{file}:3")
    assert values["rights"] == ("read", f"{file}:7")
    assert values["rotate_after"] == ("90d", f"{settings}:3")
    assert values["authentication"] == ("header", "built in")
    assert "adopt" not in values
    (link,) = document["links"]
    assert (link["name"], link["to"]) == ("hub", "vault")
    assert link["values"] == [{"word": "overlap", "value": "1h", "origin": f"{settings}:3"}]
    names = project.prepared.mounts
    assert document["vault_path"] == f"{names.mount}/{project.prepared.base}/fresh-roast/orders/credential"
    journal = document["journal"]
    assert (journal["phase"], journal["incarnation"]) == ("open", 1)
    (user,) = journal["users"]
    assert (user["name"], user["to"], user["state"], user["generation"]) == ("hub", "vault", "acknowledged", 1)
    (generation,) = journal["generations"]
    assert generation.keys() == {"number", "state", "key_id", "tail", "times", "note"}
    assert generation["state"] == "current"
    assert {"intended", "current"} <= generation["times"].keys()
    assert journal["steps"][0]["what"] == "opened"

    shown = project("show", "fresh-roast/orders").out
    for words in (
        "rotate_after",
        f"{file}:7",
        "In Vault: ",
        "acknowledged generation 1",
        "fresh-roast/orders/hub, to vault",
    ):
        assert words in shown


def test_what_is_declared_shows_without_vault(connected: tuple[Project, str], monkeypatch: pytest.MonkeyPatch) -> None:
    project, there = connected
    freeze = '\n  freeze: {until: 2099-01-01, reason: season}\n  rotate_after: never\n  rotate: "seen"\n'
    project.declare("fresh-roast", there, ORDERS.replace("\n  rights", f"{freeze}  rights"))
    monkeypatch.setattr(Project, "environment", lambda _: {"VAULT_ADDR": "https://127.0.0.1:9", "VAULT_TOKEN": "none"})
    document = project.ask("show", "fresh-roast/orders", code=3)
    assert document["journal"] is None
    assert "Vault cannot be reached" in document["problem"]
    shown = project("show", "fresh-roast/orders").out
    assert "The journal was not seen" in shown
    assert "until: 2099-01-01, reason: season" in shown
    assert "never" in shown


def test_what_was_not_made_shows_too(project: Project) -> None:
    there = project.store("fresh-roast")
    project.declare("fresh-roast", there, ORDERS)
    assert project.ask("show", "fresh-roast/orders")["journal"] is None
    assert "Nothing was made yet" in project("show", "fresh-roast/orders").out
