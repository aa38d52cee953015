"""`connections status`: one word for every state a connection can be in, from journals alone, and by a look at the store."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sandbox.vault import client
from tests.operations.conftest import ORDERS, Project


def only(document: dict[str, Any]) -> dict[str, Any]:
    """The one connection of a report."""
    (entry,) = document["connections"]
    found: dict[str, Any] = entry
    return found


def test_a_fresh_connection_is_live(connected: tuple[Project, str]) -> None:
    project, _ = connected
    document = project.ask("status")
    entry = only(document)
    assert document.keys() == {"stack", "connections"}
    assert entry.pop("issued_at")
    assert entry.pop("rotation_due")
    assert entry == {
        "name": "fresh-roast/orders",
        "store": "fresh-roast",
        "platform": "woocommerce",
        "rights": "read",
        "state": "live",
        "generation": 1,
        "age_days": 0,
        "links": [
            {
                "name": "hub",
                "to": "vault",
                "state": "acknowledged",
                "generation": 1,
                "confirmed_by": "",
                "confirmed_at": "",
                "reasons": [],
            }
        ],
        "reasons": [],
    }
    assert only(project.ask("status", "--live"))["state"] == "live"
    assert project.ask("status", "--waiting")["connections"] == []
    shown = project("status")
    assert shown.code == 0
    assert "fresh-roast/orders" in shown.out
    assert f"{project.stack}: 1 live" in shown.out


def test_what_was_never_made_and_what_was_ended(connected: tuple[Project, str]) -> None:
    project, there = connected
    project.declare("fresh-roast", there, ORDERS + ORDERS.replace("orders:", "later:", 1))
    found = {entry["name"]: entry for entry in project.ask("status", code=2)["connections"]}
    assert found["fresh-roast/later"]["state"] == "absent"
    assert found["fresh-roast/later"]["generation"] == 0
    assert found["fresh-roast/later"]["issued_at"] is None
    assert project.ask("status", "fresh-roast/orders")["connections"][0]["state"] == "live"
    assert {entry["state"] for entry in project.ask("status", "--live", code=2)["connections"]} == {"absent", "live"}

    journal = dict(project.journal("fresh-roast/orders"))
    project.write("fresh-roast/orders/journal", journal | {"phase": "closed", "generations": {}, "links": {}})
    for option in ((), ("--live",)):
        entry = project.ask("status", "fresh-roast/orders", *option, code=2)["connections"][0]
        assert entry["state"] == "closed"
        assert "declared again" in entry["reasons"][0]


def test_what_the_file_says_otherwise(connected: tuple[Project, str]) -> None:
    project, there = connected
    project.declare("fresh-roast", there, ORDERS.replace("rights: read", "rights: read_write"))
    entry = only(project.ask("status", code=2))
    assert (entry["state"], entry["rights"]) == ("drift", "read_write")
    assert entry["reasons"] == ["rights was read, the file says read_write; `pulumi up` settles it"]
    entry = only(project.ask("status", "--live", code=2))
    assert entry["reasons"] == ["rights is read at the store, read_write in the file"]
    table = project("status").out
    assert "fresh-roast/orders: rights was read" in table


def test_a_store_that_moved_and_links_that_changed(connected: tuple[Project, str]) -> None:
    project, there = connected
    project.control.alias_store(there, f"{there}-new")
    project.declare("fresh-roast", f"{there}-new", ORDERS.replace("hub: {to: vault}", "other: {to: vault}"))
    reasons = only(project.ask("status", code=2))["reasons"]
    assert len(reasons) == 3
    assert "the store was" in reasons[0]
    assert "fresh-roast/orders/other does not have generation 1 yet" in reasons[1]
    assert "fresh-roast/orders/hub is to be unlinked" in reasons[2]


def test_a_key_that_somebody_changed_shows_only_with_a_look(connected: tuple[Project, str]) -> None:
    project, there = connected
    (key,) = project.control.keys(there)
    project.control.edit_key(there, key.key_id, permissions="read_write")
    assert only(project.ask("status"))["state"] == "live"
    entry = only(project.ask("status", "--live", code=2))
    assert entry["state"] == "drift"
    assert "rights is read_write at the store, read in the file" in entry["reasons"]


def test_an_asked_rotation_and_a_killed_run(connected: tuple[Project, str]) -> None:
    project, _ = connected
    journal = dict(project.journal("fresh-roast/orders"))
    asked = {"rotation": 2, "reason": "seen on a screen", "at": "2026-01-01T00:00:00Z"}
    intended = {"state": "intended", "wished": journal["generations"]["1"]["wished"], "rotation": 2}
    changed = {"requested": asked, "next": 3, "generations": {**journal["generations"], "2": intended}}
    project.write("fresh-roast/orders/journal", journal | changed)
    reasons = only(project.ask("status", code=2))["reasons"]
    assert "a rotation was asked for: seen on a screen; `pulumi up` settles it" in reasons
    assert "generation 2 is being made, or its run was killed; `pulumi up` settles it" in reasons


def test_a_compromised_key_is_a_problem(connected: tuple[Project, str]) -> None:
    project, _ = connected
    journal = dict(project.journal("fresh-roast/orders"))
    leaked = {"1": journal["generations"]["1"] | {"compromised": "in a public repository"}}
    project.write("fresh-roast/orders/journal", journal | {"generations": leaked, "phase": "closing"})
    entry = only(project.ask("status", code=1))
    assert entry["state"] == "problem"
    assert "generation 1 is compromised: in a public repository" in entry["reasons"]
    assert any("being ended, though it is declared" in reason for reason in entry["reasons"])


def test_people_who_are_awaited(project: Project) -> None:
    there = project.store("acme-parts")
    project.declare("acme-parts", there, ORDERS.replace("{hub: {to: vault}}", "{developer: {to: person}}"))
    project.up()
    entry = only(project.ask("status", code=4))
    assert entry["state"] == "awaiting_person"
    assert entry["links"][0]["state"] == "awaiting_person"
    assert "connections confirm acme-parts/orders/developer --by WHO" in entry["reasons"][0]
    assert project("confirm", "acme-parts/orders/developer", "--by", "dev@agency.example").code == 0
    (link,) = only(project.ask("status"))["links"]
    assert (link["state"], link["confirmed_by"]) == ("acknowledged", "dev@agency.example")
    assert link["confirmed_at"]


def test_a_link_that_is_being_taken_away(connected: tuple[Project, str]) -> None:
    project, _ = connected
    journal = dict(project.journal("fresh-roast/orders"))
    unlinking = {"hub": journal["links"]["hub"] | {"state": "unlinking"}}
    project.write("fresh-roast/orders/journal", journal | {"links": unlinking})
    assert only(project.ask("status", code=2))["links"][0]["state"] == "unlinking"
    behind = {"hub": journal["links"]["hub"] | {"acknowledged": 0}}
    project.write("fresh-roast/orders/journal", journal | {"links": behind})
    assert only(project.ask("status", code=2))["links"][0]["state"] == "connecting"


def test_a_link_that_is_not_renamed_yet_stands_there_once(connected: tuple[Project, str]) -> None:
    project, there = connected
    project.declare("fresh-roast", there, ORDERS.replace("hub: {", "portal: {was: hub, "))
    entry = only(project.ask("status"))
    assert [(link["name"], link["state"]) for link in entry["links"]] == [("portal", "acknowledged")]
    project.up()
    entry = only(project.ask("status"))
    assert [(link["name"], link["state"]) for link in entry["links"]] == [("portal", "acknowledged")]


def test_what_nobody_declares_any_more(connected: tuple[Project, str]) -> None:
    project, _ = connected
    (project.folder / "fresh-roast.yaml").unlink()
    entry = only(project.ask("status", code=2))
    assert (entry["name"], entry["state"], entry["platform"]) == ("fresh-roast/orders", "drift", "woocommerce")
    assert entry["reasons"] == ["it is not declared; `pulumi up` ends it"]

    journal = dict(project.journal("fresh-roast/orders"))
    by_hand = {"1": journal["generations"]["1"] | {"state": "retiring", "made_by": "person"}}
    project.write("fresh-roast/orders/journal", journal | {"phase": "closing", "generations": by_hand})
    entry = only(project.ask("status", code=4))
    assert entry["state"] == "awaiting_person"
    assert "connections confirm fresh-roast/orders --deleted 1" in entry["reasons"][0]

    project.write("fresh-roast/orders/journal", journal | {"phase": "open", "generations": {}})
    assert only(project.ask("status", code=2))["rights"] is None
    project.write("fresh-roast/orders/journal", journal | {"phase": "closed"})
    assert project("status").out.splitlines()[-1] == f"{project.stack}: no connections"


def test_what_could_not_be_seen(connected: tuple[Project, str]) -> None:
    project, there = connected
    project.control.add_fault("drop_before", store=there, times=None)
    assert only(project.ask("status"))["state"] == "live"
    entry = only(project.ask("status", "--live", code=3))
    assert entry["state"] == "unchecked"
    assert entry["reasons"]
    project.control.clear_faults()
    place = f"{project.prepared.mounts.mount}/data/{project.prepared.base}/fresh-roast/orders/journal"
    with client(project.prepared.access) as http:
        http.delete(f"/{place}")
    entry = only(project.ask("status", code=1))
    assert entry["state"] == "problem"
    assert "deleted in Vault" in entry["reasons"][0]


def test_age_is_counted_and_due(connected: tuple[Project, str]) -> None:
    project, _ = connected
    project.ahead = timedelta(days=40)
    entry = only(project.ask("status"))
    assert entry["age_days"] == 40
    assert " 40 d " in project("status").out


@pytest.mark.parametrize("option", [(), ("--live",)])
def test_without_vault_nothing_is_concluded(
    connected: tuple[Project, str], option: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    project, _ = connected
    monkeypatch.setattr(Project, "environment", lambda _: {"VAULT_ADDR": "https://127.0.0.1:9", "VAULT_TOKEN": "none"})
    entry = only(project.ask("status", *option, code=3))
    assert entry["state"] == "unchecked"
    assert "Vault cannot be reached" in entry["reasons"][0]
