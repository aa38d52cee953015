"""What a process shares, and which kinds there are."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

import providers.bigcommerce
import providers.stone_edge
from providers.core import kinds
from providers.core.contract import LinkKind
from providers.core.errors import VaultError
from providers.core.http import Http
from providers.core.kinds import UnknownKind
from providers.core.links import PersonReader, VaultReader
from providers.core.redaction import Secret
from providers.core.toolbox import Toolbox, now, user_of, wish_of
from providers.stone_edge.channel import Channel
from providers.woocommerce.issuer import ApiKeyIssuer
from tests.engine.conftest import OUTSIDE, credential, link
from tests.protocol.handing import OFFICE

ENVIRONMENT = {"VAULT_ADDR": "https://vault.example:8200", "VAULT_TOKEN": "a-token-of-a-test"}


@pytest.fixture
def toolbox() -> Any:
    made = Toolbox(ENVIRONMENT)
    yield made
    made.close()


def test_nothing_is_needed_before_it_is_used() -> None:
    made = Toolbox({})
    with pytest.raises(VaultError, match="VAULT_ADDR is not set"):
        _ = made.vault
    made.close()


def test_closing_logs_out_before_the_connections_go(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    kind = dataclasses.replace(kinds.credential("woocommerce/api_key"), close=lambda: said.append("logged out"))
    monkeypatch.setattr("providers.woocommerce.CREDENTIALS", {"api_key": kind})
    monkeypatch.setattr(Http, "close", lambda _: said.append("closed"))
    made = Toolbox(ENVIRONMENT)
    made.issuer(credential())
    made.close()
    made.close()
    assert said == ["logged out", "closed"]


def test_one_vault_and_one_http_serve_all(toolbox: Toolbox) -> None:
    assert toolbox.vault is toolbox.vault
    assert toolbox.http(credential()) is toolbox.http(credential(url="https://northside.example"))
    private = credential(private_networks=["10.20.0.0/24"])
    inside = toolbox.http(private)
    assert inside is not toolbox.http(credential())
    assert inside is toolbox.http(private)
    # Private networks are opened for the host that was named, and no other.
    assert inside is not toolbox.http(private | {"url": "https://northside.example"})


def test_a_login_is_read_when_it_is_needed_and_for_its_host(toolbox: Toolbox, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str, str]] = []

    def admin_login(mount: str, host: str, path: str) -> None:
        asked.append((mount, host, path))

    issuer = toolbox.issuer(credential(url="https://localhost:8443/shop", private_networks=["127.0.0.0/8"]))
    assert isinstance(issuer, ApiKeyIssuer)
    assert asked == []
    monkeypatch.setattr(toolbox.vault, "admin_login", admin_login)
    issuer.store.session.login()
    assert asked == [("admins", "localhost:8443", "shop")]


def test_an_operation_works_where_the_inputs_say(toolbox: Toolbox, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    operation = toolbox.operation(credential(revoke_on_destroy=True), report=said.append)
    operation.report("a line")
    assert said == ["a line"]
    assert operation.revoke_adopted
    assert (operation.store, operation.platform) == ("https://fresh-roast.example", "woocommerce/api_key")
    assert operation.owner.prefix == "connections:test:fresh-roast/orders:"
    monkeypatch.setattr(toolbox.vault, "secret", lambda mount, entry: {"where": Secret(f"{mount}/{entry}")})
    entry = operation.entry("old-hub")
    assert entry is not None
    assert entry["where"].reveal() == "legacy/fresh-roast.example/old-hub"
    assert toolbox.link_operation(credential()).owner == operation.owner


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://fresh-roast.example", "legacy/fresh-roast.example/old-hub"),
        ("https://fresh-roast.example/de/shop", "legacy/fresh-roast.example/de/shop/old-hub"),
        ("https://localhost:8443/shop", "legacy/localhost:8443/shop/old-hub"),
    ],
)
def test_an_entry_to_adopt_lies_under_the_stores_own_address(
    toolbox: Toolbox, monkeypatch: pytest.MonkeyPatch, url: str, place: str
) -> None:
    monkeypatch.setattr(toolbox.vault, "secret", lambda mount, entry: {"where": Secret(f"{mount}/{entry}")})
    entry = toolbox.operation(credential(url=url, private_networks=["127.0.0.0/8"])).entry("old-hub")
    assert entry is not None
    assert entry["where"].reveal() == place


def test_the_wish_is_what_the_inputs_say() -> None:
    at = now()
    wish = wish_of(credential(rotation={"number": 3}, adopt="old-hub"), at)
    assert (wish.fields, wish.rotation, wish.overlap, wish.frozen, wish.adopt) == (
        {"rights": "read", "user": "hub-reader", "purpose": "orders into the hub"},
        3,
        3600.0,
        "",
        "old-hub",
    )


@pytest.mark.parametrize(("until", "frozen"), [("2999-12-31", "sales"), ("2000-01-01", "")])
def test_a_freeze_lasts_until_its_day(until: str, frozen: str) -> None:
    assert wish_of(credential(freeze={"until": until, "reason": "sales"}), now()).frozen == frozen
    assert wish_of(credential(freeze={"until": now().date().isoformat(), "reason": "today"}), now()).frozen == "today"


@pytest.mark.parametrize(
    "name",
    ["woocommerce/other", "core/api_key", "../sandbox/api_key", "nothing/api_key", "woocommerce", "core.vault/x"],
)
def test_a_kind_of_another_version_is_said(name: str) -> None:
    with pytest.raises(UnknownKind, match="this version knows no credential"):
        kinds.credential(name)


NO_TOOLS: Any = None


def test_kinds_are_found_by_their_names() -> None:
    assert kinds.credential("woocommerce/api_key").identity == "url"
    for to, kind in (("vault", VaultReader), ("person", PersonReader), ("stone-edge", Channel)):
        assert type(kinds.link(to).link({}, NO_TOOLS)) is kind
    for to in ("nobody", "stone_edge", "woocommerce", "../vault", "declarations"):
        with pytest.raises(UnknownKind, match=f"no link to '{to}'"):
            kinds.link(to, "woocommerce")


SITE = LinkKind(lambda _inputs, _tools: VaultReader())


@pytest.mark.parametrize("to", ["wordpress", "stone-edge"])
def test_a_platform_s_own_consumer_goes_first(to: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers.bigcommerce, "LINKS", {to: SITE, "vault": SITE}, raising=False)
    assert kinds.link(to, "bigcommerce") is SITE
    assert kinds.link("vault", "bigcommerce") is kinds.EVERYWHERE["vault"]
    for other in ("", "woocommerce", "nothing", "../bigcommerce", "bigcommerce.x"):
        if to == "stone-edge":
            assert kinds.link(to, other) is providers.stone_edge.LINKS[to]
            continue
        with pytest.raises(UnknownKind, match=f"no link to '{to}'"):
            kinds.link(to, other)


def test_a_link_is_made_of_what_is_declared(toolbox: Toolbox) -> None:
    hosts = {"private": {"localhost": ["127.0.0.0/8"]}, "ca_file": ""}
    run = toolbox.link_run(link(**OUTSIDE | {"hosts": hosts, "link_was": "former"}), again="lost")
    assert (run.name, run.was, run.answers, run.where) == ("hub", "former", True, "fresh-roast/orders/hub")
    assert run.handover is not None
    assert run.handover.again == "lost"
    terms = run.handover.terms
    assert terms is not None
    assert (terms.how, terms.to, terms.key, terms.ttl) == ("sealed", OFFICE, "", 259200.0)
    assert "Stone Edge" in terms.what
    courier = run.handover.courier
    assert (courier.mails, courier.address, courier.show) == (True, "https://vault.example:8200", None)
    assert isinstance(run.link, Channel)
    tools = run.link._tools
    assert tools.clock is toolbox.clock
    # A private network is opened for its own host.
    assert tools.http("script.example") is tools.http("other.example")
    assert tools.http("localhost") is not tools.http("script.example")
    # An operation that is there already is used.
    operation = toolbox.link_operation(link())
    assert toolbox.link_run(link(), operation=operation).operation is operation


USERS: list[tuple[dict[str, Any], tuple[bool, bool, str]]] = [
    ({"to": "vault"}, (False, False, "")),
    ({"to": "person"}, (True, False, "")),
    ({"to": "person", "handover": "auto", "handover_ttl": 60.0, "recipient": OFFICE}, (True, False, "sealed")),
    ({"to": "person", "handover": "person", "handover_ttl": 60.0}, (True, False, "person")),
    ({"to": "stone-edge", "handover": "plain", "handover_ttl": 60.0, "recipient": OFFICE}, (True, True, "plain")),
]


@pytest.mark.parametrize(("words", "wanted"), USERS)
def test_how_a_user_gets_the_values(words: dict[str, Any], wanted: tuple[bool, bool, str], toolbox: Toolbox) -> None:
    user = user_of(link(**words))
    assert (user.by_person, user.answers, user.terms.how if user.terms else "", user.mails) == (*wanted, False)
    handover = toolbox.link_run(link(**words)).handover
    # What once was handed over can be voided, whatever is declared now.
    assert (handover is not None, handover.terms if handover else None) == (user.by_person, user.terms)
