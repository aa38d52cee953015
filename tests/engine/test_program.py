"""The program: what it declares to the engine, and how it says that it cannot."""

from __future__ import annotations

import dataclasses
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks, settings

from providers import connection
from providers.core.errors import DeclarationError
from providers.declarations import load, platforms
from providers.declarations.models import Hubs, MailHub
from providers.inputs import consumer_inputs

ROOT = Path(__file__).resolve().parents[2]
STACK = """
format: 1
vault: {mount: kv}
teams: {retail: {mail: retail@agency.example}}
defaults: {ask: integrations@agency.example, overlap: 1h}
hosts: {private: {fresh-roast.example: [10.20.0.0/24]}}
"""
STORE = """
platform: woocommerce
url: https://fresh-roast.example
team: retail
was: roastery
connections:
  orders:
    purpose: orders into the hub
    rights: read
    user: hub-reader
    was: old-orders
    links: {hub: {to: vault, was: old-hub}, desk: {to: person}}
  stock: {purpose: stock back, rights: read_write, user: hub-reader, authentication: query, links: {hub: {to: vault}}}
"""


class Recorded(mocks.Mocks):
    """The engine, as far as the program sees it."""

    def __init__(self) -> None:
        self.made: list[pulumi.runtime.MockResourceArgs] = []

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        self.made.append(args)
        return args.name, args.inputs | {"handle": {"path": f"kv/{args.name}", "rotation": 1}}

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        raise AssertionError("the program calls nothing")


@pytest.fixture
def engine() -> Iterator[Recorded]:
    recorded = Recorded()
    before = settings.SETTINGS
    mocks.set_mocks(recorded, project="connections", stack="production", preview=False)
    yield recorded
    settings.configure(before)


@pytest.fixture
def stacks(tmp_path: Path) -> Path:
    folder = tmp_path / "stacks" / "production"
    folder.mkdir(parents=True)
    (folder / "_stack.yaml").write_text(STACK, encoding="utf-8")
    (folder / "fresh-roast.yaml").write_text(STORE, encoding="utf-8")
    return folder.parent


def test_every_connection_is_declared_with_its_links_below_it(engine: Recorded, stacks: Path) -> None:
    warned: list[str] = []

    def program() -> None:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(pulumi.log, "warn", warned.append)
            connection.declare(stacks)

    run: Any = pulumi.runtime.test
    run(program)()
    made = {args.name: args for args in engine.made if args.typ.startswith("pulumi-python:")}
    assert {name: args.typ.rpartition("/")[2] for name, args in made.items()} == {
        "ledger": "core:Ledger",
        "fresh-roast/orders": "woocommerce:ApiKey",
        "fresh-roast/orders/hub": "core:Link",
        "fresh-roast/orders/desk": "core:Link",
        "fresh-roast/stock": "woocommerce:ApiKey",
        "fresh-roast/stock/hub": "core:Link",
    }
    (warning,) = warned
    assert warning.startswith("fresh-roast/stock: stacks/production/fresh-roast.yaml:")
    assert "authentication: query puts the key into" in warning
    declared = made["ledger"].inputs
    assert declared["declared"] == {"fresh-roast/orders": "", "fresh-roast/stock": ""}
    assert declared["stores"] == {
        "fresh-roast": {
            "platform": "woocommerce",
            "kind": "api_key",
            "login": "admin",
            "authentication": "header",
            "url": "https://fresh-roast.example",
        }
    }
    linked = made["fresh-roast/orders/hub"].inputs
    assert linked["handle"] == {"path": "kv/fresh-roast/orders", "rotation": 1}
    assert linked["vault"] == {"mount": "kv", "hubs": "hubs"}
    # Nothing is ever sent to a reader of Vault.
    assert "hosts" not in linked
    assert "ca_file" in made["fresh-roast/orders/desk"].inputs["hosts"]


def test_a_hand_over_takes_the_stacks_mail_server(stacks: Path) -> None:
    stack = load(stacks, "production", platforms(), project="connections")
    hub = MailHub.model_validate({"server": "mail.example", "from": "integrations@agency.example"})
    settings = stack.settings.model_copy(update={"hubs": Hubs(mail=hub)})
    mailing = dataclasses.replace(stack, settings=settings)
    found = {
        link.name: consumer_inputs("connections", mailing, connection, link).get("mail")
        for connection in stack.connections
        for link in connection.links
    }
    sender = {"server": "mail.example", "security": "starttls", "sender": "integrations@agency.example"}
    assert found == {"hub": None, "desk": sender}


def test_room_for_the_marker_is_reckoned_with_the_projects_own_name(
    engine: Recorded, stacks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulumi, "get_project", lambda: "p" * 180)
    with pytest.raises(DeclarationError, match="fit beside our marker"):
        connection.declare(stacks)
    assert engine.made == []


def test_resources_are_known_by_their_former_names(stacks: Path) -> None:
    stack = load(stacks, "production", platforms(), project="connections")
    renamed, kept = stack.connections
    links = {link.name: connection._link_aliases(renamed, link) for link in renamed.links}
    assert [alias.name for alias in links["hub"]] == ["fresh-roast/orders/old-hub", f"{renamed.was}/old-hub"]
    assert [alias.name for alias in links["desk"]] == [f"{renamed.was}/desk"]
    assert kept.was == "roastery/stock"
    assert [alias.name for alias in connection._link_aliases(kept, kept.links[0])] == ["roastery/stock/hub"]
    assert renamed.was == "roastery/old-orders"


def test_a_mistake_in_the_files_is_said_once_and_ends_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def refuse(_: Path) -> None:
        raise DeclarationError("'nope' was found; allowed: read", where="stacks/production/fresh-roast.yaml:7:17")

    monkeypatch.setattr(connection, "declare", refuse)
    monkeypatch.setattr(pulumi.log, "error", said.append)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "__main__.py"))
    # The engine's own code for "the user has read why".
    assert ended.value.code == 32
    assert said == ["stacks/production/fresh-roast.yaml:7:17: 'nope' was found; allowed: read"]
