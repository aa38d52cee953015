"""What is made and ended by another connection's credential: made after it, ended before it, and waited for without it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks, settings

from providers import connection
from providers.core import kinds
from providers.core.journal import Book, Journal
from providers.core.ledger import end_strays
from providers.core.marker import Owner
from providers.core.provider import CredentialProvider, LinkProvider
from providers.core.redaction import Secret
from providers.core.toolbox import StoreTools, Toolbox, now, wish_of
from tests.engine.conftest import VAULT, MemoryToolbox, StackDocuments, credential, ledger, link
from tests.protocol.doubles import World

STACK = """
format: 1
vault: {mount: kv}
teams: {retail: {mail: retail@agency.example}}
defaults: {ask: integrations@agency.example, overlap: 1h}
"""
STORE = """
platform: bigcommerce
store_hash: "abc123x"
team: retail
connections:
  agate:
    credential: storefront_token
    account: tokens
    token: private
    purpose: pages
    rights: [customer]
    channels: [1]
    expires_after: 180d
    links: {hub: {to: vault}}
  tokens:
    purpose: makes tokens
    rights: {Storefront API tokens: manage}
    links: {hub: {to: vault}}
"""


class Recorded(mocks.Mocks):
    """The engine, as far as the program sees it."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        return args.name, args.inputs | {"handle": {"path": f"kv/{args.name}", "rotation": 1}}

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        raise AssertionError("the program calls nothing")


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, set[str]]]:
    """The names that each resource depends on, as the engine is told."""
    found: dict[str, set[str]] = {}
    register: Any = mocks.MockMonitor.RegisterResource

    def recorded(self: Any, request: Any) -> Any:
        if request.custom:
            found[request.name] = {urn.rpartition("::")[2] for urn in request.dependencies}
        return register(self, request)

    monkeypatch.setattr(mocks.MockMonitor, "RegisterResource", recorded)
    before = settings.SETTINGS
    mocks.set_mocks(Recorded(), project="connections", stack="production", preview=False)
    yield found
    settings.configure(before)


def test_the_engine_ends_a_token_before_its_account(graph: Mapping[str, set[str]], tmp_path: Path) -> None:
    folder = tmp_path / "stacks" / "production"
    folder.mkdir(parents=True)
    (folder / "_stack.yaml").write_text(STACK, encoding="utf-8")
    (folder / "fresh-roast.yaml").write_text(STORE, encoding="utf-8")

    def program() -> None:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(pulumi.log, "warn", lambda _: None)
            connection.declare(folder.parent)

    run: Any = pulumi.runtime.test
    run(program)()
    assert graph == {
        "ledger": set(),
        "fresh-roast/tokens": {"ledger"},
        "fresh-roast/tokens/hub": {"fresh-roast/tokens"},
        # It is declared first, and made after the account; the engine ends what depends before what it depends on.
        "fresh-roast/agate": {"ledger", "fresh-roast/tokens"},
        "fresh-roast/agate/hub": {"fresh-roast/agate"},
    }


# --- without the other one --------------------------------------------------------------------------------------------


def test_what_waits_for_another_connection_is_no_fault(
    world: World, toolbox: MemoryToolbox, capsys: pytest.CaptureFixture[str]
) -> None:
    world.unready = "its account fresh-roast/tokens has no live key yet"
    inputs = dict(CredentialProvider().check({}, credential()).inputs)
    made = CredentialProvider().create(inputs)
    assert made.outs is not None
    assert made.outs["status"]["reasons"] == [world.unready]
    assert made.outs["credential"]["generation"] == 0
    assert world.unready in capsys.readouterr().out
    # Its links wait with it.
    linked = LinkProvider().create(link())
    assert linked.outs is not None
    assert linked.outs["status"]["state"] == "awaiting_person"
    # Every preview shows that the next run tries again.
    seen = CredentialProvider().read("fresh-roast/orders", made.outs)
    assert seen.outs is not None
    assert seen.outs["drift"] == ["no credential yet: a new key is due"]
    world.unready = ""
    updated = CredentialProvider().update("fresh-roast/orders", inputs, inputs)
    assert updated.outs is not None
    assert updated.outs["status"]["state"] == "live"
    linked_again = LinkProvider().update("fresh-roast/orders/hub", link(), link())
    assert linked_again.outs is not None
    assert linked_again.outs["status"]["state"] == "acknowledged"


# --- the credential of another connection -----------------------------------------------------------------------------


class Documented(Toolbox):
    """A toolbox whose documents lie in memory."""

    def __init__(self, world: World) -> None:
        super().__init__({})
        self.world = world

    def documents(self, inputs: Mapping[str, Any]) -> Any:
        return StackDocuments(self.world)


TOKEN = {
    "project": "connections",
    "stack": "test",
    "connection": "fresh-roast/pages",
    "platform": "bigcommerce",
    "kind": "storefront_token",
    "store_hash": "abc123x",
    "account": "tokens",
    "token": "private",
    "rights": ["Customer"],
    "channels": [1],
    "expires_after": 86_400,
    "vault": VAULT,
}


@pytest.fixture
def tools(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoreTools]:
    """What core lends to the issuer of a token."""
    lent: list[Any] = []
    kind = kinds.credential("bigcommerce/storefront_token")

    def issuer(inputs: Mapping[str, Any], tools: Any) -> Any:
        lent.append(tools)
        return kind.issuer(inputs, tools)

    changed = {"storefront_token": dataclasses.replace(kind, issuer=issuer)}
    monkeypatch.setattr("providers.bigcommerce.CREDENTIALS", changed)
    toolbox = Documented(world)
    toolbox.issuer(TOKEN)
    yield lent[0]
    toolbox.close()


def published(world: World, name: str, journal: Journal | None = None) -> Book:
    book = Book(StackDocuments(world), Owner("connections", "test", name))
    if journal is not None:
        book.decide(journal, 0, run="r", at=world.now, what="opened")
    book.publish(0, 1, 1, "7", {"access_token": Secret("canary-token-of-account")}, {"api_path": "/v3/"}, world.now)
    return book


def test_a_platform_reads_what_another_connection_published(world: World, tools: StoreTools) -> None:
    assert tools.credential("fresh-roast/tokens") is None
    book = published(world, "fresh-roast/tokens")
    held = tools.credential("fresh-roast/tokens")
    assert held is not None
    assert {name: value.reveal() for name, value in held.items()} == {"access_token": "canary-token-of-account"}
    book.withdraw(1, 1, world.now)
    assert tools.credential("fresh-roast/tokens") is None


def test_a_renamed_connection_is_found_where_it_was(world: World, tools: StoreTools) -> None:
    former = Journal(project="connections", stack="test", connection="fresh-roast/old", store="abc123x")
    published(world, "fresh-roast/old", former)
    documents = StackDocuments(world)
    Book(documents, Owner("connections", "test", "fresh-roast/tokens"), was="fresh-roast/old").move_in(
        run="r", at=world.now
    )
    assert tools.credential("fresh-roast/tokens") is not None


def test_what_the_engine_drops_as_empty_is_none() -> None:
    fields = wish_of(TOKEN, now()).fields
    assert fields["cors_origins"] is None
    assert fields["channels"] == [1]


# --- strays -----------------------------------------------------------------------------------------------------------


def test_strays_end_before_what_they_need(world: World, toolbox: MemoryToolbox) -> None:
    documents = StackDocuments(world)
    platforms = {
        "fresh-roast/a-tokens": "bigcommerce/api_account",
        "fresh-roast/b-other": "vanished/kind",
        "fresh-roast/c-pages": "bigcommerce/storefront_token",
    }
    for name, platform in platforms.items():
        store = "abc123x"
        journal = Journal(project="connections", stack="test", connection=name, store=store, platform=platform)
        Book(documents, Owner("connections", "test", name)).decide(journal, 0, run="r", at=world.now, what="opened")
    ended: list[str] = []
    operation = toolbox.operation

    def recorded(inputs: Any, **given: Any) -> Any:
        ended.append(inputs["connection"])
        return operation(inputs, **given)

    toolbox.operation = recorded  # type: ignore[method-assign]
    problems = end_strays(toolbox, ledger(declared={}, stores={}), leave=())
    assert ended == ["fresh-roast/c-pages", "fresh-roast/a-tokens"]
    (problem,) = problems
    assert problem.startswith("fresh-roast/b-other: this version knows no credential")
