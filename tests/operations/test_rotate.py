"""`connections rotate`: new keys on word or by age, links moved, old keys retired when nobody needs them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from operations.age import due_at, duration, issued_at
from providers.core.journal import Journal
from providers.declarations import load, platforms
from tests.operations.conftest import ORDERS, Project

PERSON = ORDERS.replace("{hub: {to: vault}}", "{developer: {to: person}}")


def only(document: dict[str, Any]) -> dict[str, Any]:
    """The one connection of a report."""
    (entry,) = document["connections"]
    found: dict[str, Any] = entry
    return found


def numbers(project: Project, there: str) -> list[int]:
    """Which generations' keys the store has."""
    return sorted(int(key.description.split(":")[-2]) for key in project.control.keys(there))


def test_a_rotation_leaves_no_moment_without_a_key(connected: tuple[Project, str]) -> None:
    project, there = connected
    called = project("rotate", "fresh-roast/orders", "--reason", "seen on a screen", "--json")
    assert called.code == 0
    assert called.json.keys() == {"stack", "connections", "later"}
    entry = only(called.json)
    assert entry.keys() == {"name", "before", "after", "state", "person", "waiting", "problems", "exit_code"}
    assert (entry["before"], entry["after"], entry["state"]) == (1, 2, "rotating")
    assert entry["waiting"][0].startswith("generation 1: overlap until")
    assert "fresh-roast/orders: generation 2 intended: rotation asked for: seen on a screen" in called.err
    assert numbers(project, there) == [1, 2]
    assert project.documents("fresh-roast/orders/")["fresh-roast/orders/credential"]["generation"] == "2"
    status = project.ask("status")["connections"][0]
    assert (status["state"], status["links"][0]["generation"]) == ("rotating", 2)
    assert status["reasons"][0].startswith("generation 1: overlap until")
    assert [entry["name"] for entry in project.ask("status", "--waiting")["connections"]] == ["fresh-roast/orders"]

    project.ahead = timedelta(hours=2)
    entry = only(project.ask("rotate", "--due"))
    assert (entry["before"], entry["after"], entry["state"], entry["waiting"]) == (2, 2, "live", [])
    assert numbers(project, there) == [2]
    assert project("rotate", "--due").out == f"{project.stack}: nothing is due\n"


def test_without_overlap_the_old_key_goes_with_the_last_word(project: Project) -> None:
    there = project.store("acme-parts")
    project.declare("acme-parts", there, PERSON)
    project.up()
    assert project("confirm", "acme-parts/orders/developer", "--by", "dev@agency.example").code == 0
    called = project("rotate", "acme-parts/orders", "--reason", "a developer left")
    assert called.code == 4
    assert "take over generation 2" in called.out
    assert numbers(project, there) == [1, 2]
    arguments = ("confirm", "acme-parts/orders/developer", "--by", "dev@agency.example", "--generation")
    assert project(*arguments, "1").code == 1
    assert project(*arguments, "2").code == 0
    assert only(project.ask("rotate", "--due"))["state"] == "live"
    assert numbers(project, there) == [2]


def test_a_leaked_key_dies_at_once(connected: tuple[Project, str]) -> None:
    project, there = connected
    project.declare("fresh-roast", there, ORDERS + "  freeze: {until: 2099-01-01, reason: season}\n")
    called = project("rotate", "fresh-roast/orders", "--reason", "screens need care")
    assert called.code == 5
    assert "frozen: season" in called.out
    called = project("rotate", "fresh-roast/orders", "--compromised", "--reason", "in a public repository")
    assert called.code == 0, called.out + called.err
    assert numbers(project, there) == [2]


def test_names_may_be_patterns_but_not_for_too_much(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    there = project.store("fresh-roast")
    stock = ORDERS.replace("orders:", "stock:", 1)
    project.declare("fresh-roast", there, ORDERS + stock)
    project.up()
    called = project("rotate", "fresh-roast/*", "--reason", "spring")
    assert called.code == 5
    assert "CONNECTIONS_OVERRIDE=2" in called.err
    assert numbers(project, there) == [1, 1]
    monkeypatch.setenv("CONNECTIONS_OVERRIDE", "2")
    found = project.ask("rotate", "fresh-roast/*", "--reason", "spring")["connections"]
    assert [entry["after"] for entry in found] == [2, 2]


def test_age_makes_due_a_few_at_a_time(project: Project) -> None:
    there = project.store("fresh-roast")
    names = ("a", "b", "c")
    project.declare("fresh-roast", there, "".join(ORDERS.replace("orders:", f"{name}:", 1) for name in names))
    project.up()
    project.ahead = timedelta(days=79)
    assert project.ask("rotate", "--due")["connections"] == []
    project.ahead = timedelta(days=91)
    document = project.ask("rotate", "--due", "--at-most", "0")
    assert (document["connections"], sorted(document["later"])) == ([], [f"fresh-roast/{name}" for name in names])
    document = project.ask("rotate", "--due")
    assert (len(document["connections"]), len(document["later"])) == (2, 1)
    assert {entry["after"] for entry in document["connections"]} == {2}
    project.ahead = timedelta(days=92)
    shown = project("rotate", "--due", "--at-most", "0")
    assert f"due too, left for the next run: {document['later'][0]}" in shown.out
    entry = only(project.ask("rotate", "--due"))
    assert (entry["name"], entry["before"], entry["after"]) == (document["later"][0], 1, 2)
    assert numbers(project, there) == [2, 2, 2]


@pytest.mark.parametrize("change", ["frozen", "never", "by up"])
def test_what_is_not_due_by_age(connected: tuple[Project, str], change: str) -> None:
    project, there = connected
    words = {
        "frozen": "  freeze: {until: 2999-01-01, reason: season}\n",
        "never": "  rotate_after: never\n",
        "by up": "",
    }
    project.declare("fresh-roast", there, ORDERS + words[change])
    if change == "by up":
        settings = project.folder / "_stack.yaml"
        settings.write_text(settings.read_text().replace("by: schedule", "by: up"))
    project.ahead = timedelta(days=200)
    assert project.ask("rotate", "--due")["connections"] == []


def test_what_an_asked_rotation_left_goes_on(connected: tuple[Project, str]) -> None:
    project, there = connected
    journal = dict(project.journal("fresh-roast/orders"))
    asked = {"rotation": 2, "reason": "seen on a screen", "at": "2026-01-01T00:00:00Z"}
    project.write("fresh-roast/orders/journal", journal | {"requested": asked})
    assert only(project.ask("rotate", "--due"))["after"] == 2
    assert numbers(project, there) == [1, 2]


def test_connections_without_a_journal_or_at_their_end_are_not_due(connected: tuple[Project, str]) -> None:
    project, there = connected
    project.declare("fresh-roast", there, ORDERS + ORDERS.replace("orders:", "later:", 1))
    journal = dict(project.journal("fresh-roast/orders"))
    project.write("fresh-roast/orders/journal", journal | {"phase": "closed", "generations": {}, "links": {}})
    assert project.ask("rotate", "--due")["connections"] == []
    entry = only(project.ask("rotate", "fresh-roast/later", "--reason", "early", code=1))
    assert entry["state"] == "problem"
    assert "Run `pulumi up` first" in entry["problems"][0]


def test_what_the_store_refuses_is_a_problem(connected: tuple[Project, str]) -> None:
    project, there = connected
    project.control.delete_user(there, "reader")
    entry = only(project.ask("rotate", "fresh-roast/orders", "--reason", "routine", code=1))
    assert entry["state"] == "problem"
    assert any("no user reader" in problem for problem in entry["problems"])


def test_what_cannot_be_looked_at(connected: tuple[Project, str], monkeypatch: pytest.MonkeyPatch) -> None:
    project, there = connected
    project.control.add_fault("drop_before", store=there, times=None)
    assert project("rotate", "fresh-roast/orders", "--reason", "routine").code == 3
    monkeypatch.setattr(Project, "environment", lambda _: {"VAULT_ADDR": "https://127.0.0.1:9", "VAULT_TOKEN": "none"})
    entry = only(project.ask("rotate", "--due", code=3))
    assert (entry["state"], entry["before"]) == ("problem", 0)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("fresh-roast/orders",),
        ("fresh-roast/orders", "--due"),
        ("--due", "--reason", "x"),
        ("--due", "--compromised"),
        ("fresh-roast/orders", "--reason", "x", "--at-most", "1"),
        ("fresh-roast/orders", "--reason", "two\nlines"),
    ],
)
def test_what_makes_no_sense_is_refused(connected: tuple[Project, str], arguments: tuple[str, ...]) -> None:
    project, there = connected
    assert project("rotate", *arguments).code == 1
    assert numbers(project, there) == [1]


# --- age ---


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "never"), (86400 * 90, "90d"), (7200, "2h"), (90, "90s"), (120, "2m"), (0, "0d")]
)
def test_durations_as_files_say_them(seconds: int | None, text: str) -> None:
    assert duration(seconds) == text


def test_rotations_are_spread_by_name(project: Project) -> None:
    there = project.store("fresh-roast")
    names = [f"c{number}" for number in range(20)]
    project.declare("fresh-roast", there, "".join(ORDERS.replace("orders:", f"{name}:", 1) for name in names))
    stack = load(project.root / "stacks", project.stack, platforms())
    made = {"state": "current", "times": {"current": "2026-01-01T00:00:00Z"}}
    head = {"project": "p", "stack": "s", "connection": "a/b", "store": "x"}
    journal = Journal.model_validate({**head, "generations": {"1": made}})
    due = [due_at(stack, connection, journal) for connection in stack.connections]
    since = issued_at(journal)
    assert since is not None
    ages = [(moment - since).days for moment in due if moment is not None]
    assert len(ages) == 20
    assert min(ages) >= 80
    assert max(ages) <= 90
    assert len(set(ages)) > 5
    assert due == [due_at(stack, connection, journal) for connection in stack.connections]
    assert due_at(stack, stack.connections[0], Journal.model_validate(head)) is None
