"""`connections recover` and `discover`: keys at a store that Vault does not know, ours and those of others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers.core.redaction import Secret
from tests.operations.conftest import ORDERS, Project

NAME = "fresh-roast/orders"


def restored(project: Project) -> None:
    """Vault as it was before the last rotation."""
    before = dict(project.journal(NAME))
    assert project("rotate", NAME, "--reason", "routine").code == 0
    project.write(f"{NAME}/journal", before)


def test_vault_from_an_older_copy(connected: tuple[Project, str]) -> None:
    project, there = connected
    assert project.ask("recover", NAME) == {"name": NAME, "unknown": [], "done": False}
    assert "Vault knows every key" in project("recover", NAME).out
    restored(project)
    status = project.ask("status", "--live", code=1)["connections"][0]
    assert status["state"] == "problem"
    assert f"connections recover {NAME}" in status["reasons"][0]
    assert project("verify").code == 1

    document = project.ask("recover", NAME, code=2)
    (unknown,) = document["unknown"]
    assert unknown.keys() == {"number", "key_id", "tail", "purpose"}
    assert (unknown["number"], unknown["purpose"]) == (2, "orders into the hub")
    assert f"connections recover {NAME} --yes --reason TEXT" in project("recover", NAME).out
    assert len(project.control.keys(there)) == 2

    shown = project("recover", NAME, "--yes", "--reason", "restored from a backup")
    assert (shown.code, "these keys are to be revoked" in shown.out) == (0, True)
    project.up()
    labels = [key.description.split(":")[-2] for key in project.control.keys(there)]
    assert "2" not in labels
    assert "3" in labels


def test_a_yes_needs_its_reason(connected: tuple[Project, str]) -> None:
    project, _ = connected
    assert project("recover", NAME, "--yes").code == 1
    assert project("recover", NAME, "--reason", "x").code == 1
    assert project("recover", NAME, "--yes", "--reason", "x").code == 0


def test_a_store_that_only_a_person_can_look_into(project: Project) -> None:
    there = project.store("fresh-roast")
    project.declare("fresh-roast", there, ORDERS, login="none")
    called = project("recover", NAME)
    assert called.code == 4
    assert len(called.err.splitlines()) == 1


# --- keys of others ---


def test_keys_of_others(connected: tuple[Project, str]) -> None:
    project, there = connected
    project.control.insert_key(there, description="StackOne", permissions="read", user="reader")
    project.control.insert_key(there, description="StackOne", permissions="read_write", user="writer")
    project.control.insert_key(there, description="Orders \x1b[31m", permissions="write", user="writer")
    foreign = f"acme:other:{NAME}:1:0123456789abcdef0123"
    project.control.insert_key(there, description=f"orders {foreign}", permissions="read", user="reader")
    document = project.ask("discover", "fresh-roast")
    assert document.keys() == {"store", "ours", "foreign", "stubs", "adopt_mount"}
    assert document["ours"] == 1
    found = {key["label"]: key for key in document["foreign"]}
    assert len(document["foreign"]) == 4
    assert found["StackOne"].keys() == {"key_id", "label", "tail", "user", "rights", "last_used", "marked", "stub"}
    marked = found[f"orders {foreign}"]
    assert (marked["marked"], marked["stub"], marked["user"], marked["rights"]) == (True, "", "reader", "read")
    assert not any("\x1b" in label for label in found)

    shown = project("discover", "fresh-roast", "--adopt-stubs")
    assert shown.code == 0
    assert "4 keys of others, 1 of ours" in shown.out
    assert "\x1b" not in shown.out
    stubs = shown.out.partition("# Under `connections:`")[2].partition("\n")[2]
    assert "adopt: fresh-roast-stackone\n" in stubs
    assert "adopt: fresh-roast-stackone-2\n" in stubs
    assert "# Under" not in project("discover", "fresh-roast").out
    # What is printed is what a file takes.
    project.declare("fresh-roast", there, ORDERS + "\n".join(line[2:] for line in stubs.splitlines()))
    checked = project("check")
    assert (checked.code, "4 connections" in checked.out) == (0, True), checked.out


def test_a_key_on_record_is_ours_without_a_marker(connected: tuple[Project, str]) -> None:
    project, there = connected
    (key,) = project.control.keys(there)
    project.control.edit_key(there, key.key_id, description="somebody wrote over it")
    project.write("fresh-roast/never/other", {"a": "b"})
    assert project.ask("discover", "fresh-roast")["foreign"] == []
    shown = project("discover", "fresh-roast", "--adopt-stubs").out
    assert shown == "fresh-roast: 0 keys of others, 1 of ours\n"


def test_a_store_without_connections(project: Project) -> None:
    there = project.store(
        "fresh-roast", foreign_keys=[{"login": "reader", "description": "ERP", "permissions": "read"}]
    )
    file = project.folder / "fresh-roast.yaml"
    file.write_text(
        f"platform: woocommerce\nurl: {project.control.store_url(there)}\nteam: retail\nconnections: {{}}\n"
    )
    assert [key["label"] for key in project.ask("discover", "fresh-roast")["foreign"]] == ["ERP"]
    assert project("discover", "fresh-rost").code == 1


def test_words_from_stores_hold_no_secret_of_ours(connected: tuple[Project, str]) -> None:
    """A label that repeats a secret that is being used is not repeated by us."""
    project, there = connected
    secret = Secret("canary-value-in-a-label")
    project.control.insert_key(there, description=f"copied {secret.reveal()}", permissions="read", user="reader")
    for options in ((), ("--json",), ("--adopt-stubs",)):
        assert secret.reveal() not in project("discover", "fresh-roast", *options).out


def test_nothing_changes_at_the_store(connected: tuple[Project, str]) -> None:
    project, there = connected
    before = project.control.keys(there)
    for call in (["discover", "fresh-roast"], ["recover", NAME], ["verify"], ["status", "--live"], ["doctor"]):
        project(*call)
    kept: Any = [(key.key_id, key.description, key.permissions) for key in project.control.keys(there)]
    assert kept == [(key.key_id, key.description, key.permissions) for key in before]
    assert json.loads(json.dumps(kept))


@pytest.mark.parametrize("role", ["preview", "auditor"])
def test_a_role_that_may_not_look_says_so(connected: tuple[Project, str], role: str) -> None:
    project, _ = connected
    project.role = role
    assert project("status").code == 0
    assert project("verify").code == 3
    called = project("discover", "fresh-roast")
    assert (called.code, "does not allow" in called.err) == (3, True)
