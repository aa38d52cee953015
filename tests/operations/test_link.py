"""`connections link`: how one user stands, and what a person follows at StackOne, which only a terminal shows."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.stackone.client import LinkedAccountRow, OrganisationRow
from sandbox.stackone.visitor import HubVisitor
from sandbox.vault import client
from tests.operations.conftest import ORDERS, Called, Project, Terminal, call
from tests.operations.terminal import on_a_terminal, rest

NUMBERS = itertools.count(1)
NAME = "fresh-roast/unified"
LINK = f"{NAME}/stackone"
FILE = """
unified:
  purpose: orders into the unified API
  rights: read
  user: reader
  links: {stackone: {}}
"""


@dataclass
class Hub:
    """An organisation at StackOne of this test alone, and the store's project that links to it."""

    project: Project
    organisation: OrganisationRow

    def shown(self, *options: str, **variables: str) -> tuple[int, str]:
        """The exit code and everything that a terminal of its own shows."""
        seen = bytearray()
        with on_a_terminal(self.project, "link", LINK, "--show", *options, whole=True, **variables) as (
            process,
            master,
        ):
            rest(master, seen)
            code = process.wait(timeout=60)
        return code, seen.decode().replace("\r\n", "\n")

    def on_a_terminal(self, name: str = LINK, role: str = "apply") -> Called:
        """The same in this process, where nothing is shown; a secret in it would stand in the project's words."""
        self.project.role = role
        called = call("link", name, "--show", make_toolbox=self.project.toolbox, terminal=True, stdin=Terminal())
        self.project.role = "apply"
        self.project.said += [called.out, called.err]
        return called

    def entry(self) -> dict[str, Any]:
        found: dict[str, Any] = self.project.journal(NAME)["links"]["stackone"]
        return found

    def accounts(self) -> list[LinkedAccountRow]:
        return self.project.control.stackone.accounts(self.organisation.name)


@pytest.fixture
def hub(project: Project, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A store whose connection waits for a person at StackOne."""
    monkeypatch.delenv("CI", raising=False)
    stackone = project.control.stackone
    organisation = stackone.create(f"agency-{next(NUMBERS)}")
    key = stackone.create_key(organisation.name, "accounts", "actions")
    project.secrets.add(key.value)
    with client(project.prepared.access) as http:
        # All tests share the mount.
        place = f"/{project.prepared.mounts.hubs}/data/stackone"
        known = http.get(place)
        version = known.json()["data"]["metadata"]["version"] if known.status_code == 200 else 0
        order = {"options": {"cas": version}, "data": {"api_key": key.value}}
        http.post(place, json=order).raise_for_status()
    settings = project.folder / "_stack.yaml"
    added = f"hubs: {{stackone: {{region: eu1}}}}\nendpoints: {{stackone: {{api: {organisation.eu_api_url}}}}}\n"
    settings.write_text(settings.read_text("utf-8") + added, "utf-8")
    project.declare("fresh-roast", project.store("fresh-roast"), FILE + ORDERS)
    project.up()
    return Hub(project, organisation)


def test_from_the_link_that_a_terminal_shows_to_an_account_that_works(hub: Hub) -> None:
    project = hub.project
    called = project("link", LINK)
    assert (called.code, called.err) == (4, "")
    assert called.out.splitlines() == [
        f"{LINK}: awaiting_person",
        f"generation 1 waits for a person: `connections link {LINK} --show` on a terminal",
    ]
    assert project.ask("link", LINK, code=4)["lines"] == called.out.splitlines()
    (waits,) = [row for row in project.ask("status", code=4)["connections"] if row["name"] == NAME]
    assert waits["state"] == "awaiting_person"
    assert f"connections link {LINK} --show" in " ".join(waits["reasons"])

    held = project.documents(f"{NAME}/")[f"{NAME}/credential"]
    code, text = hub.shown()
    assert code == 0, text
    values = dict(re.findall(r"^(\w+): (.+)$", text, re.MULTILINE))
    assert {name: values[name] for name in ("url", "consumer_key", "consumer_secret")} == {
        name: held[name] for name in ("url", "consumer_key", "consumer_secret")
    }
    assert values["auth_link_url"].startswith(project.control.url)
    assert text.rstrip().endswith(f"{LINK}: generation 1 waits. When it is done, run `pulumi up`.")
    # Nothing that a terminal shows stands in any other word, nor in what the journal keeps.
    project.secrets |= {values["consumer_key"], values["consumer_secret"], values["auth_link_url"]}
    assert [secret[:6] for secret in project.secrets if secret in str(project.journal(NAME))] == []

    with HubVisitor(project.control.ca) as visitor:
        visitor.connect(values["auth_link_url"], values["url"], values["consumer_key"], values["consumer_secret"])
    assert hub.entry().get("acknowledged", 0) == 0
    project.up()
    assert hub.entry()["acknowledged"] == 1
    (account,) = hub.accounts()
    assert account.status == "active"
    assert project("link", LINK).out == f"{LINK}: acknowledged, generation 1\n"
    code, text = hub.shown()
    assert (code, "nothing waits for a person here" in text) == (1, True)
    assert values["consumer_key"] not in text


def test_a_rotation_waits_for_a_person_again_and_says_who_holds_what(hub: Hub) -> None:
    project = hub.project
    follow(hub)
    project.up()
    assert project("rotate", NAME, "--reason", "routine").code == 4
    (row,) = project.ask("status", NAME, code=4)["connections"]
    assert (row["generation"], [link["generation"] for link in row["links"]]) == (2, [1])
    assert "generation 1: stackone still holds generation 1" in " ".join(row["reasons"])
    assert "stackone awaiting_person (holds generation 1)" in " ".join(project("status", NAME).out.split())
    document = project.ask("show", NAME)
    (user,) = document["journal"]["users"]
    assert (user["name"], user["state"], user["generation"]) == ("stackone", "awaiting_person", 1)
    assert re.search(r"stackone +awaiting_person +1 +generation 2 waits for a person", project("show", NAME).out)
    assert project("link", LINK).out.splitlines()[0] == f"{LINK}: awaiting_person, generation 1"
    follow(hub)
    project.up()
    assert hub.entry()["acknowledged"] == 2


def follow(hub: Hub) -> None:
    """A person at a terminal does what it shows."""
    code, text = hub.shown("--quiet")
    assert code == 0, text
    values = dict(re.findall(r"^(\w+): (.+)$", text, re.MULTILINE))
    project = hub.project
    project.secrets |= {values["consumer_key"], values["consumer_secret"], values["auth_link_url"]}
    with HubVisitor(project.control.ca) as visitor:
        visitor.connect(values["auth_link_url"], values["url"], values["consumer_key"], values["consumer_secret"])


@pytest.mark.parametrize(("options", "terminal"), [((), False), (("--json",), True), (("--json",), False)])
def test_never_where_output_is_kept(hub: Hub, options: tuple[str, ...], terminal: bool) -> None:
    stdin = Terminal() if terminal else None
    called = hub.project("link", LINK, "--show", *options, terminal=terminal, stdin=stdin)
    assert called.code == 5
    assert (
        "what a person goes on with is shown on a terminal only, never where output is kept" in called.out + called.err
    )


def test_never_in_continuous_integration(hub: Hub) -> None:
    code, text = hub.shown(CI="true")
    assert (code, "never where output is kept" in text) == (5, True)
    assert "consumer_key" not in text
    hub.project.said.append(text)


def test_a_user_whom_no_link_brings_on(hub: Hub) -> None:
    assert hub.project("link", "fresh-roast/orders/hub").out == "fresh-roast/orders/hub: acknowledged, generation 1\n"
    called = hub.on_a_terminal("fresh-roast/orders/hub")
    assert (called.code, called.out) == (1, "")
    assert "fresh-roast/orders/hub: no person goes on at 'vault' by a link. See `connections status`" in called.err


def test_who_may_read_no_secret_is_refused(hub: Hub) -> None:
    called = hub.on_a_terminal(role="operator")
    assert (called.code, called.out, len(called.err.splitlines())) == (3, "", 1)
    assert "Vault does not allow it" in called.err


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (NAME, "store/connection/link is to be named"),
        (f"{NAME}/other", f"{NAME} declares no link 'other'"),
        ("fresh-roast/other/hub", "no connection is called"),
    ],
)
def test_what_names_no_link(hub: Hub, name: str, says: str) -> None:
    called = hub.project("link", name)
    assert (called.code, called.out, len(called.err.splitlines())) == (1, "", 1)
    assert says in called.err
